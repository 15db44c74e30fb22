"""Reads a run while another process writes it: new rows only, and never for long.

SQLite's write-ahead log lets one read without keeping the writer waiting. Nothing is read as
long as `PRAGMA data_version` says that nobody has written. Rows are plain dictionaries and not
frames: whoever follows may be the process that measures, and a frame costs a millisecond.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from python_runner.common.process_mark import Life, ProcessMark
from python_runner.store.arrays import INT32, INT64, unpack
from python_runner.store.frames import MAY_END, read_conditions
from python_runner.store.store import Store

Row = Mapping[str, Any]
Rows = Sequence[Row]
Int64s = npt.NDArray[np.int64]

_RUN = "SELECT run_id, study_json, kind, status, began_ns FROM runs WHERE run_id = ?"
_CONDITIONS = """
SELECT condition_id, stack, title, language, reach, error, json_array_length(loads_json) AS loads
FROM conditions WHERE run_id = ? ORDER BY condition_id
"""
_STEPS = """
SELECT stack, title, number, requests, timed, expected_s, began_ns, ended_ns
FROM steps WHERE run_id = ? ORDER BY step_id
"""
_LEVELS = """
SELECT l.level_id, l.number, l.arrivals, l.users, l.rate, l.requests, l.duration_s, l.warmup,
    l.new_tokens, l.ended_ns, l.error, c.stack, c.title, c.language
FROM load_levels l JOIN conditions c USING (condition_id) WHERE c.run_id = ? AND l.number > 0
ORDER BY l.level_id
"""
_SAMPLES = f"""
SELECT s.sample_id, c.stack, c.title, s.iteration, s.is_warmup, s.block, s.requested_ns,
    s.chunk_ns, s.chunk_tokens, s.ended_ns, s.output_tokens, s.requested_tokens, s.stop, s.error,
    s.probe_compute_ns, s.probe_memory_ns, s.suspended_ns, s.suspended_by, {MAY_END}
FROM samples s JOIN conditions c USING (condition_id) JOIN runs r USING (run_id)
WHERE c.run_id = ? AND s.sample_id > ? ORDER BY s.sample_id
"""  # noqa: S608 - constants only
_REQUESTS = """
SELECT request_id, number, scheduled_ns, ended_ns, output_tokens, stop,
    CASE WHEN suspended_by = '' THEN error_kind ELSE 'suspended' END,
    substr(chunk_ns, 1, 8), substr(chunk_ns, -8), substr(chunk_tokens, 1, 4)
FROM load_requests WHERE request_id > ? AND +level_id = ? ORDER BY request_id
"""
"""Of the stamps the two that figures are made from: all of them would be many. The plus keeps
SQLite from going through the levels' index, which grows with every request that is known."""
_FIRST_REQUEST = "SELECT coalesce(min(request_id), 0) - 1 FROM load_requests WHERE level_id = ?"
_NEVER = -1


@dataclass(frozen=True, kw_only=True)
class NewRequests:
    """Requests of one level that are over, in columns of length n."""

    number: Int64s
    scheduled_ns: Int64s
    ended_ns: Int64s
    first_ns: Int64s
    """Stamp of the first chunk; -1: there is none."""
    last_ns: Int64s
    """Of the last."""
    first_tokens: Int64s
    """In the first chunk; 0: not known."""
    output_tokens: Int64s
    """-1: not known."""
    stop: tuple[str, ...]
    error_kind: tuple[str, ...]
    """Empty: none. `suspended`: something did not run meanwhile, whatever came of it."""


@dataclass(frozen=True, kw_only=True)
class Followed:
    """What is known of a run now, and what is new."""

    run: Row
    """run_id, study_json, kind, status, began_ns."""
    conditions: Rows
    """Stacks that were begun: condition_id, stack, title, language, reach, error, loads (count)."""
    steps: Rows
    """What the run was known to do, in this order: the fields of `Step`, began_ns, ended_ns."""
    levels: Rows
    """Of a load, those that were begun: the fields of a `Level`, level_id, number, error, stack,
    title, language."""
    samples: Rows
    """New: stack, title, and what `analyse.latency` makes figures from; ended_ns, probes."""
    requests: Mapping[int, NewRequests]
    """New, by level_id."""


class Follower:
    """Follows one run of a store, over a connection of its own that cannot write."""

    def __init__(self, path: Path, run_id: int) -> None:
        """Open the store. Raises StoreError, see `Store`."""
        self._store = Store(path, read_only=True)
        self.run_id = run_id
        self._version: object = None
        self._last_sample = 0
        self._last_requests: dict[int, int] = {}
        """Level to the last of its requests that was read."""
        self._over: set[int] = set()
        """Levels of which nothing comes any more."""

    def close(self) -> None:
        """Close the connection."""
        self._store.close()

    def read(self) -> Followed | None:
        """What is new since the last time; None if nobody has written anything."""
        version = self._store.connection.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return None
        self._version = version
        self._store.connection.execute("BEGIN")  # all of one moment
        try:
            levels = self._rows(_LEVELS, self.run_id)
            return Followed(
                run=self._rows(_RUN, self.run_id)[0],
                conditions=self._rows(_CONDITIONS, self.run_id),
                steps=self._rows(_STEPS, self.run_id),
                levels=levels,
                samples=self._new_samples(),
                requests=self._new_requests(levels),
            )
        finally:
            self._store.connection.execute("COMMIT")

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Conditions and run as in `Frames`; takes some milliseconds."""
        return read_conditions(self._store, self.run_id)

    def life(self) -> Life:
        """Whether the process that measures still runs."""
        return life_of(self._store, self.run_id)

    def _rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        cursor = self._store.connection.execute(query, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def _new_samples(self) -> list[dict[str, Any]]:
        rows = self._rows(_SAMPLES, self.run_id, self._last_sample)
        if rows:
            self._last_sample = rows[-1]["sample_id"]
        return [
            {
                **row,
                "is_warmup": bool(row["is_warmup"]),
                "may_end": bool(row["may_end"]),
                "chunk_ns": unpack(row["chunk_ns"]),
                "chunk_tokens": unpack(row["chunk_tokens"]),
            }
            for row in rows
        ]

    def _new_requests(self, levels: Rows) -> dict[int, NewRequests]:
        found = {}
        for row in levels:
            level, last = row["level_id"], self._last_requests.get(row["level_id"])
            if level in self._over:
                continue
            if last is None:
                (last,) = self._store.connection.execute(_FIRST_REQUEST, (level,)).fetchone()
            rows = self._store.connection.execute(_REQUESTS, (last, level)).fetchall()
            if rows:
                self._last_requests[level] = rows[-1][0]
                found[level] = _columns(rows)
            if row["ended_ns"] is not None:
                self._over.add(level)
        return found


def life_of(store: Store, run_id: int) -> Life:
    """Whether the process that measures, or measured, a run still runs."""
    (mark,) = store.connection.execute(
        "SELECT process_json FROM runs WHERE run_id = ?", (run_id,)
    ).fetchone()
    return Life.UNKNOWN if mark is None else ProcessMark.from_json(mark).life()


def unfinished_runs(store: Store) -> list[int]:
    """Runs that are marked as going on, newest first; whether they are is `life_of`'s to say."""
    rows = store.connection.execute(
        "SELECT run_id FROM runs WHERE status = 'running' ORDER BY run_id DESC"
    )
    return [run_id for (run_id,) in rows]


def _columns(rows: Sequence[tuple[Any, ...]]) -> NewRequests:
    _, number, scheduled, ended, tokens, stop, kinds, first, last, first_tokens = zip(
        *rows, strict=True
    )
    return NewRequests(
        number=np.array(number, dtype=np.int64),
        scheduled_ns=np.array(scheduled, dtype=np.int64),
        ended_ns=np.array(ended, dtype=np.int64),
        first_ns=_first(first, INT64, _NEVER),
        last_ns=_first(last, INT64, _NEVER),
        first_tokens=_first(first_tokens, INT32, 0),
        output_tokens=np.array(tokens, dtype=np.int64),
        stop=stop,
        error_kind=kinds,
    )


def _first(blobs: Sequence[bytes | None], kind: str, missing: int) -> Int64s:
    """The number in each BLOB; the part of an empty one is None."""
    none = np.array(missing, dtype=kind).tobytes()
    whole = b"".join(blob or none for blob in blobs)
    return unpack(whole, kind).astype(np.int64)
