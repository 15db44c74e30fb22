"""What a run keeps so that it can go on (`store.interrupted`, `store.going_on`)."""

from __future__ import annotations

RESUMING = """
ALTER TABLE runs ADD COLUMN asked_json TEXT;
ALTER TABLE runs ADD COLUMN machine TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN last_seen TEXT;
ALTER TABLE runs ADD COLUMN resumed_json TEXT NOT NULL DEFAULT '[]';
"""
"""`asked_json`: the study as it was given, without what it left to its defaults. `machine`: a hash
by which a machine knows itself again. `last_seen`: when the run is known to have been going on.
`resumed_json`: one object for each time that it went on."""
