"""The tables, as an ordered list of migrations. `PRAGMA user_version` counts the applied ones.

Arrays are BLOBs of little-endian numbers: in `samples` and `answers` all of 64 bits, in
`load_requests` `chunk_ns` of 64, `chunk_tokens` and `chunk_reads` of 32, `chunk_is_reasoning` of 8.
Times are nanoseconds of CLOCK_MONOTONIC: differences within a run mean something, absolute values
do not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial

from python_runner.store.migrations.answers import ANSWERS
from python_runner.store.migrations.attempts import ATTEMPTS
from python_runner.store.migrations.comparisons import (
    BLOCKS,
    COMMAND,
    COMPARISONS,
    FAIRNESS,
    NETWORK,
    RESOURCES,
)
from python_runner.store.migrations.following import FOLLOWING
from python_runner.store.migrations.loads import LOADS
from python_runner.store.migrations.recoveries import RECOVERIES
from python_runner.store.migrations.resuming import RESUMING
from python_runner.store.migrations.time import TIME
from python_runner.store.sums import add_sums

APPLICATION_ID = 0x506F6C79  # "Poly"


def _create(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    _run(COMPARISONS, connection)


def _run(script: str, connection: sqlite3.Connection) -> None:
    """Statement by statement: `executescript` would commit the transaction they belong to."""
    for statement in script.split(";\n"):
        if statement.strip():
            connection.execute(statement)


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _create,
    partial(_run, LOADS),
    partial(_run, BLOCKS),
    partial(_run, RESOURCES),
    partial(_run, FAIRNESS),
    partial(_run, ANSWERS),
    partial(_run, COMMAND),
    partial(_run, RECOVERIES),
    partial(_run, FOLLOWING),
    partial(_run, NETWORK),
    partial(_run, TIME),
    partial(_run, RESUMING),
    partial(_run, ATTEMPTS),
    add_sums,
)
"""Append only: what stands here has been applied to files that people have.

One that comes after `add_sums` and changes rows gives them new sums, too (`store.sums.seal`).
"""

SCHEMA_VERSION = len(MIGRATIONS)
