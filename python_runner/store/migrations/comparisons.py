"""Runs, stacks, and the samples of comparisons."""

COMPARISONS = """
CREATE TABLE runs (
    run_id          INTEGER PRIMARY KEY AUTOINCREMENT,
    study           TEXT NOT NULL,
    created         TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('running', 'complete', 'interrupted')),
    study_json      TEXT NOT NULL,
    host_json       TEXT NOT NULL,
    program_version TEXT NOT NULL
) STRICT;

CREATE TABLE conditions (
    condition_id      INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id            INTEGER NOT NULL REFERENCES runs,
    stack             TEXT NOT NULL,
    title             TEXT NOT NULL,
    language          TEXT NOT NULL,
    reach             TEXT NOT NULL,
    version           TEXT NOT NULL,
    build_json        TEXT NOT NULL,
    model             TEXT NOT NULL,
    model_label       TEXT NOT NULL,
    is_synthetic      INTEGER NOT NULL,
    source_sha256     TEXT NOT NULL,
    precision         TEXT NOT NULL,
    device            TEXT NOT NULL,
    threads           INTEGER NOT NULL,
    context           INTEGER NOT NULL,
    template          TEXT NOT NULL,
    sampling          TEXT NOT NULL,
    prompt_cache      TEXT NOT NULL,
    load_seconds      REAL,
    peak_memory_bytes INTEGER,
    error             TEXT NOT NULL DEFAULT '',
    UNIQUE (run_id, stack)
) STRICT;

CREATE TABLE samples (
    sample_id               INTEGER PRIMARY KEY AUTOINCREMENT,
    condition_id            INTEGER NOT NULL REFERENCES conditions,
    iteration               INTEGER NOT NULL,
    is_warmup               INTEGER NOT NULL,
    prompt_text             TEXT NOT NULL,
    reference_prompt_tokens INTEGER NOT NULL,
    requested_tokens        INTEGER NOT NULL,
    requested_ns            INTEGER NOT NULL,
    chunk_ns                BLOB NOT NULL,
    chunk_tokens            BLOB NOT NULL,
    ended_ns                INTEGER NOT NULL,
    prompt_tokens           INTEGER NOT NULL,
    output_tokens           INTEGER NOT NULL,
    stop                    TEXT NOT NULL,
    text                    TEXT NOT NULL,
    token_ids               BLOB,
    engine_timings_json     TEXT NOT NULL,
    error                   TEXT NOT NULL,
    UNIQUE (condition_id, is_warmup, iteration)
) STRICT;
"""

BLOCKS = """
ALTER TABLE samples ADD COLUMN block INTEGER NOT NULL DEFAULT 1;
ALTER TABLE samples ADD COLUMN probe_compute_ns INTEGER;
ALTER TABLE samples ADD COLUMN probe_memory_ns INTEGER;
ALTER TABLE conditions ADD COLUMN loads_json TEXT NOT NULL DEFAULT '[]';
ALTER TABLE runs ADD COLUMN looks_json TEXT;
"""
"""`loads_json`: seconds that each visit's load took, `load_seconds` being the first. `looks_json`:
what is known of a run that goes on until its intervals are narrow (see `Frames.runs`)."""

RESOURCES = "ALTER TABLE samples ADD COLUMN resources_json TEXT NOT NULL DEFAULT '{}'"

FAIRNESS = """
ALTER TABLE runs ADD COLUMN allowed_unfair_json TEXT NOT NULL DEFAULT '[]';
ALTER TABLE conditions ADD COLUMN facts_json TEXT NOT NULL DEFAULT '{}';
"""

COMMAND = "ALTER TABLE runs ADD COLUMN command TEXT NOT NULL DEFAULT ''"
"""What was typed; empty for runs from before, and for those that no command made."""

NETWORK = "ALTER TABLE conditions ADD COLUMN network_json TEXT NOT NULL DEFAULT '[]'"
"""Readings of the way to a stack that is not on this machine (`NetworkReading`)."""
