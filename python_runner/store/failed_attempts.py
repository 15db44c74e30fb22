"""Attempts that failed and were followed by another: how they are read."""

from __future__ import annotations

import sqlite3
from typing import Any

_COLUMNS = ("block", "iteration", "is_warmup", "attempt", "error", "began_ns", "ended_ns")
_ROWS = f"""
SELECT run_id, stack, {", ".join(_COLUMNS)} FROM failed_attempts
WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY attempt_id
"""  # noqa: S608 - constants only


def failed_attempts(
    connection: sqlite3.Connection, wanted: str
) -> dict[tuple[int, str], list[dict[str, Any]]]:
    """Run and stack to their failed attempts, oldest first; `wanted` is a JSON list of runs.

    Each with the fields of a `FailedAttempt` but the stack.
    """
    found: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for run_id, stack, *values in connection.execute(_ROWS, (wanted,)):
        row = dict(zip(_COLUMNS, values, strict=True))
        found.setdefault((run_id, stack), []).append({**row, "is_warmup": bool(row["is_warmup"])})
    return found
