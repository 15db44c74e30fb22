"""Loads: levels and their requests."""

LOADS = """
ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'comparison'
    CHECK (kind IN ('comparison', 'load'));

ALTER TABLE conditions ADD COLUMN slots INTEGER NOT NULL DEFAULT 1;
ALTER TABLE conditions ADD COLUMN client_error_json TEXT;
ALTER TABLE conditions ADD COLUMN callback_cost_ns REAL;

CREATE TABLE load_levels (
    level_id          INTEGER PRIMARY KEY AUTOINCREMENT,
    condition_id      INTEGER NOT NULL REFERENCES conditions,
    number            INTEGER NOT NULL,
    arrivals          TEXT NOT NULL CHECK (arrivals IN ('closed', 'constant', 'poisson')),
    users             INTEGER,
    rate              REAL,
    requests          INTEGER,
    duration_s        REAL,
    ramp_s            REAL NOT NULL,
    warmup            INTEGER NOT NULL,
    new_tokens        INTEGER,
    client_error_json TEXT,
    started_ns        INTEGER,
    ended_ns          INTEGER,
    client_cpu_s      REAL,
    peak_memory_bytes INTEGER,
    error             TEXT NOT NULL DEFAULT '',
    UNIQUE (condition_id, number)
) STRICT;

CREATE TABLE load_requests (
    request_id          INTEGER PRIMARY KEY AUTOINCREMENT,
    level_id            INTEGER NOT NULL REFERENCES load_levels,
    number              INTEGER NOT NULL,
    user                INTEGER NOT NULL,
    scheduled_ns        INTEGER NOT NULL,
    sent_ns             INTEGER NOT NULL,
    connect_ns          INTEGER NOT NULL,
    tls_ns              INTEGER NOT NULL,
    headers_ns          INTEGER NOT NULL,
    ended_ns            INTEGER NOT NULL,
    status              INTEGER NOT NULL,
    error_kind          TEXT NOT NULL,
    error               TEXT NOT NULL,
    prompt_tokens       INTEGER NOT NULL,
    output_tokens       INTEGER NOT NULL,
    stop                TEXT NOT NULL,
    text                TEXT NOT NULL,
    engine_timings_json TEXT NOT NULL,
    chunk_ns            BLOB NOT NULL,
    chunk_tokens        BLOB NOT NULL,
    chunk_reads         BLOB NOT NULL,
    chunk_is_reasoning  BLOB NOT NULL,
    UNIQUE (level_id, number)
) STRICT;
"""
