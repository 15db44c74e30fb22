"""The tables, as an ordered list of migrations. `PRAGMA user_version` counts the applied ones.

Arrays (`chunk_ns`, `chunk_tokens`, `token_ids`) are BLOBs of 64-bit little-endian
integers. Times are nanoseconds of CLOCK_MONOTONIC: differences within a run mean
something, absolute values do not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x506F6C79  # "Poly"

_FIRST = """
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


def _create(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in _FIRST.split(";\n"):
        if statement.strip():
            connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_create,)
"""Append only: what stands here has been applied to files that people have."""

SCHEMA_VERSION = len(MIGRATIONS)
