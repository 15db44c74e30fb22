"""Attempts that failed and were followed by another."""

ATTEMPTS = """
ALTER TABLE samples ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1;

CREATE TABLE failed_attempts (
    attempt_id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id     INTEGER NOT NULL REFERENCES runs,
    stack      TEXT NOT NULL,
    block      INTEGER NOT NULL,
    iteration  INTEGER,
    is_warmup  INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    error      TEXT NOT NULL,
    began_ns   INTEGER NOT NULL,
    ended_ns   INTEGER NOT NULL
) STRICT;
"""
"""A row is a `measure.FailedAttempt`. `attempt` of a sample says how many it took."""
