"""How long stacks take to answer again after they were killed."""

RECOVERIES = """
CREATE TABLE recoveries (
    recovery_id     INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id          INTEGER NOT NULL,
    created         TEXT NOT NULL,
    program_version TEXT NOT NULL,
    host_json       TEXT NOT NULL,
    model           TEXT NOT NULL,
    model_label     TEXT NOT NULL,
    is_synthetic    INTEGER NOT NULL,
    source_sha256   TEXT NOT NULL,
    precision       TEXT NOT NULL,
    device          TEXT NOT NULL,
    threads         INTEGER NOT NULL,
    context         INTEGER NOT NULL,
    stack           TEXT NOT NULL,
    title           TEXT NOT NULL,
    language        TEXT NOT NULL,
    reach           TEXT NOT NULL,
    version         TEXT NOT NULL,
    attempt         INTEGER NOT NULL,
    killed_ns       INTEGER,
    noticed_ns      INTEGER,
    cleared_ns      INTEGER,
    ready_ns        INTEGER,
    first_token_ns  INTEGER,
    error           TEXT NOT NULL,
    UNIQUE (run_id, stack, attempt)
) STRICT;
"""
"""`run_id` is a number that no row of `runs` has or will have: see `store.recoveries`."""
