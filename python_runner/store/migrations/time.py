"""The migration for what happens to time (`measure.time_watch`)."""

TIME = """
ALTER TABLE samples ADD COLUMN suspended_ns INTEGER;
ALTER TABLE samples ADD COLUMN suspended_by TEXT NOT NULL DEFAULT '';
ALTER TABLE samples ADD COLUMN wall_jump_ns INTEGER;
ALTER TABLE samples ADD COLUMN probe_elapsed_ns INTEGER;
ALTER TABLE samples ADD COLUMN probe_waited_ns INTEGER;
ALTER TABLE load_requests ADD COLUMN suspended_ns INTEGER;
ALTER TABLE load_requests ADD COLUMN suspended_by TEXT NOT NULL DEFAULT '';
ALTER TABLE load_levels ADD COLUMN wall_jump_ns INTEGER;
ALTER TABLE load_levels ADD COLUMN held_back_json TEXT NOT NULL DEFAULT '{}';
"""
"""Whether time went on as usual (`measure.time_watch`): NULL is not known, and 0 is looked and seen
nothing. `suspended_by` lists signs, with commas. `held_back_json`: `measure.held_back`."""
