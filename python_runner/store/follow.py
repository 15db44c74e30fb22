"""Reads a run while another process writes it: new rows only, and never for long.

SQLite's write-ahead log lets one read without keeping the writer waiting. Nothing is read as
long as `PRAGMA data_version` says that nobody has written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from python_runner.common.process_mark import Life, ProcessMark
from python_runner.store.arrays import INT32, INT64
from python_runner.store.frames import (
    decode_conditions,
    decode_runs,
    decode_samples,
    query_frame,
    samples_after,
)
from python_runner.store.store import Store

_RUN = "SELECT * FROM runs WHERE run_id = ?"
_CONDITIONS = "SELECT * FROM conditions WHERE run_id = ? ORDER BY condition_id"
_STEPS = "SELECT * FROM steps WHERE run_id = ? ORDER BY step_id"
_LEVELS = """
SELECT l.level_id, l.number, l.arrivals, l.users, l.rate, l.requests, l.duration_s, l.warmup,
    l.new_tokens, l.started_ns, l.ended_ns, l.error, c.condition_id, c.stack
FROM load_levels l JOIN conditions c USING (condition_id) WHERE c.run_id = ? ORDER BY l.level_id
"""
_REQUESTS = """
SELECT r.request_id, r.level_id, r.number, r.scheduled_ns, r.ended_ns, r.error_kind, r.error,
    r.output_tokens, r.stop, length(r.chunk_ns) / 8 AS n_chunks,
    substr(r.chunk_ns, 1, 8) AS first, substr(r.chunk_ns, -8) AS last,
    substr(r.chunk_tokens, 1, 4) AS first_tokens
FROM load_requests r WHERE r.request_id > ? AND +r.level_id IN (SELECT value FROM json_each(?))
ORDER BY r.request_id
"""
"""Of the stamps the two that figures are made from: all of them would be many. The plus keeps
SQLite from going through the levels' index, which grows with every request that is known."""
_FIRST_REQUEST = "SELECT coalesce(min(request_id), 1) - 1 FROM load_requests WHERE level_id = ?"
_NEVER = -1


@dataclass(frozen=True, kw_only=True)
class Followed:
    """What is known of a run now.

    Attributes:
        run: its row, as in `Frames.runs`, and `began_ns`.
        conditions: as in `Frames`, of the stacks that were begun so far.
        steps: what it was known to do, in this order: stack, title, number, requests, timed,
            expected_s, began_ns, ended_ns (NaN where that is not known or not so yet).
        levels: of a load, those that were begun: level_id, number, arrivals, users, rate,
            requests, duration_s, warmup, new_tokens, started_ns, ended_ns, error,
            condition_id, stack.
        samples: as in `Frames`, those that are new.
        requests: of a load, those that are new: level_id, number, scheduled_ns, ended_ns,
            error_kind, error, output_tokens, stop, n_chunks, first_ns and last_ns (stamps of
            the first and the last chunk, -1 without any), first_tokens (0: not known).
    """

    run: Mapping[str, Any]
    conditions: pd.DataFrame
    steps: pd.DataFrame
    levels: pd.DataFrame
    samples: pd.DataFrame
    requests: pd.DataFrame


class Follower:
    """Follows one run of a store, over a connection of its own that cannot write."""

    def __init__(self, path: Path, run_id: int) -> None:
        """Open the store. Raises StoreError, see `Store`."""
        self._store = Store(path, read_only=True)
        self.run_id = run_id
        self._version: object = None
        self._last_sample = self._last_request = 0

    def close(self) -> None:
        """Close the connection."""
        self._store.close()

    def read(self) -> Followed | None:
        """What is new since the last time; None if nobody has written anything."""
        version = self._store.connection.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return None
        self._version = version
        runs = self._query(_RUN)
        steps, levels = self._query(_STEPS), self._query(_LEVELS)
        samples = decode_samples(samples_after(self._store, self.run_id, self._last_sample))
        requests = self._new_requests(levels["level_id"])
        if len(samples):
            self._last_sample = int(samples["sample_id"].iloc[-1])
        return Followed(
            run={
                **decode_runs(runs).to_dict(orient="records")[0],
                "began_ns": runs["began_ns"].iloc[0],
            },
            conditions=decode_conditions(self._query(_CONDITIONS)),
            steps=_numbers(steps, "requests", "timed", "expected_s", "began_ns", "ended_ns"),
            levels=_numbers(
                levels,
                *("users", "rate", "requests", "duration_s", "new_tokens"),
                *("started_ns", "ended_ns"),
            ),
            samples=samples,
            requests=requests,
        )

    def life(self) -> Life:
        """Whether the process that measures still runs."""
        return life_of(self._store, self.run_id)

    def _query(self, query: str) -> pd.DataFrame:
        return query_frame(self._store, query, self.run_id)

    def _new_requests(self, levels: Sequence[int]) -> pd.DataFrame:
        numbers = [int(level) for level in levels]
        if numbers and not self._last_request:
            found = self._store.connection.execute(_FIRST_REQUEST, numbers[:1]).fetchone()
            self._last_request = int(found[0])
        rows = query_frame(self._store, _REQUESTS, self._last_request, json.dumps(numbers))
        if len(rows):
            self._last_request = int(rows["request_id"].iloc[-1])
        return rows.assign(
            first_ns=_first(rows["first"], INT64, _NEVER),
            last_ns=_first(rows["last"], INT64, _NEVER),
            first_tokens=_first(rows["first_tokens"], INT32, 0),
        ).drop(columns=["request_id", "first", "last"])


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


def _numbers(rows: pd.DataFrame, *names: str) -> pd.DataFrame:
    return rows.assign(**{name: rows[name].astype(float) for name in names})


def _first(blobs: pd.Series, kind: str, missing: int) -> npt.NDArray[np.int64]:
    """The first number of each BLOB."""
    found = [int(np.frombuffer(blob, dtype=kind)[0]) if blob else missing for blob in blobs]
    return np.array(found, dtype=np.int64)
