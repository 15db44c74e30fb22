"""What a run still has to do, for whoever follows it."""

FOLLOWING = """
ALTER TABLE runs ADD COLUMN process_json TEXT;
ALTER TABLE runs ADD COLUMN began_ns INTEGER;

CREATE TABLE steps (
    step_id    INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id     INTEGER NOT NULL REFERENCES runs,
    stack      TEXT NOT NULL,
    title      TEXT NOT NULL,
    number     INTEGER NOT NULL,
    requests   INTEGER,
    timed      INTEGER,
    expected_s REAL,
    began_ns   INTEGER,
    ended_ns   INTEGER,
    UNIQUE (run_id, stack, number)
) STRICT;
"""
"""What a run still has to do, for whoever follows it. A step is a visit to a stack in a block, or
a level of a load; `requests` are all of it, `timed` those that are no warm-up."""
