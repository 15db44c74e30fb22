"""The tables, as an ordered list of migrations. `PRAGMA user_version` counts the applied ones.

Arrays are BLOBs of little-endian numbers: in `samples` and `answers` all of 64 bits, in
`load_requests` `chunk_ns` of 64, `chunk_tokens` and `chunk_reads` of 32, `chunk_is_reasoning` of 8.
Times are nanoseconds of CLOCK_MONOTONIC: differences within a run mean something, absolute values
do not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from python_runner.store.failed_attempts import ATTEMPTS
from python_runner.store.schema_resuming import RESUMING
from python_runner.store.schema_time import TIME
from python_runner.store.sums import add_sums

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


_LOADS = """
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

_BLOCKS = """
ALTER TABLE samples ADD COLUMN block INTEGER NOT NULL DEFAULT 1;
ALTER TABLE samples ADD COLUMN probe_compute_ns INTEGER;
ALTER TABLE samples ADD COLUMN probe_memory_ns INTEGER;
ALTER TABLE conditions ADD COLUMN loads_json TEXT NOT NULL DEFAULT '[]';
ALTER TABLE runs ADD COLUMN looks_json TEXT;
"""
"""`loads_json`: seconds that each visit's load took, `load_seconds` being the first. `looks_json`:
what is known of a run that goes on until its intervals are narrow (see `Frames.runs`)."""


_FAIRNESS = """
ALTER TABLE runs ADD COLUMN allowed_unfair_json TEXT NOT NULL DEFAULT '[]';
ALTER TABLE conditions ADD COLUMN facts_json TEXT NOT NULL DEFAULT '{}';
"""


def _create(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    _run(connection, _FIRST)


def _add_loads(connection: sqlite3.Connection) -> None:
    _run(connection, _LOADS)


def _add_blocks(connection: sqlite3.Connection) -> None:
    _run(connection, _BLOCKS)


def _add_resources(connection: sqlite3.Connection) -> None:
    _run(connection, "ALTER TABLE samples ADD COLUMN resources_json TEXT NOT NULL DEFAULT '{}'")


def _add_fairness(connection: sqlite3.Connection) -> None:
    _run(connection, _FAIRNESS)


_ANSWERS = """
CREATE TABLE answer_checks (
    check_id          INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id            INTEGER NOT NULL REFERENCES runs,
    created           TEXT NOT NULL,
    reference         TEXT NOT NULL,
    reference_title   TEXT NOT NULL,
    reference_version TEXT NOT NULL,
    build_json        TEXT NOT NULL,
    is_finished       INTEGER NOT NULL DEFAULT 0,
    error             TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE answer_stacks (
    check_id     INTEGER NOT NULL REFERENCES answer_checks,
    condition_id INTEGER REFERENCES conditions,
    bits         INTEGER,
    logprobs     BLOB NOT NULL DEFAULT x'',
    error        TEXT NOT NULL DEFAULT '',
    UNIQUE (check_id, condition_id)
) STRICT;

CREATE TABLE answers (
    check_id        INTEGER NOT NULL REFERENCES answer_checks,
    sample_id       INTEGER NOT NULL REFERENCES samples,
    tokens_from     TEXT NOT NULL,
    token_ids       BLOB NOT NULL,
    greedy_ids      BLOB NOT NULL,
    best_ids        BLOB NOT NULL,
    logprobs        BLOB NOT NULL,
    best_logprobs   BLOB NOT NULL,
    second_logprobs BLOB NOT NULL,
    error           TEXT NOT NULL,
    UNIQUE (check_id, sample_id)
) STRICT;
"""


def _add_answers(connection: sqlite3.Connection) -> None:
    _run(connection, _ANSWERS)


def _add_command(connection: sqlite3.Connection) -> None:
    """What was typed; empty for runs from before, and for those that no command made."""
    _run(connection, "ALTER TABLE runs ADD COLUMN command TEXT NOT NULL DEFAULT ''")


_RECOVERIES = """
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


def _add_recoveries(connection: sqlite3.Connection) -> None:
    _run(connection, _RECOVERIES)


_FOLLOWING = """
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


def _add_following(connection: sqlite3.Connection) -> None:
    _run(connection, _FOLLOWING)


def _add_network(connection: sqlite3.Connection) -> None:
    """Readings of the way to a stack that is not on this machine (`NetworkReading`)."""
    _run(connection, "ALTER TABLE conditions ADD COLUMN network_json TEXT NOT NULL DEFAULT '[]'")


def _add_time(connection: sqlite3.Connection) -> None:
    _run(connection, TIME)


def _add_resuming(connection: sqlite3.Connection) -> None:
    _run(connection, RESUMING)


def _add_attempts(connection: sqlite3.Connection) -> None:
    _run(connection, ATTEMPTS)


def _run(connection: sqlite3.Connection, script: str) -> None:
    """Statement by statement: `executescript` would commit the transaction they belong to."""
    for statement in script.split(";\n"):
        if statement.strip():
            connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _create,
    _add_loads,
    _add_blocks,
    _add_resources,
    _add_fairness,
    _add_answers,
    _add_command,
    _add_recoveries,
    _add_following,
    _add_network,
    _add_time,
    _add_resuming,
    _add_attempts,
    add_sums,
)
"""Append only: what stands here has been applied to files that people have.

One that comes after `add_sums` and changes rows gives them new sums, too (`store.sums.seal`).
"""

SCHEMA_VERSION = len(MIGRATIONS)
