"""Keeps a load as it is measured. Implements `measure.load.level.LoadRecorder`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise

from python_runner.measure.load.level import ClientError, FinishedRequests, Level, LevelEnd
from python_runner.measure.sample import Condition
from python_runner.measure.time_watch import TimeMarks
from python_runner.store.arrays import BOOL, INT32, INT64, pack
from python_runner.store.going_on import GoingOn
from python_runner.store.open_run import OpenRun, error_json, insertion
from python_runner.store.run_kind import RunKind
from python_runner.store.store import Store
from python_runner.study import Study

CHUNK_KINDS = {
    "chunk_ns": INT64,
    "chunk_tokens": INT32,
    "chunk_reads": INT32,
    "chunk_is_reasoning": BOOL,
}
"""The arrays of a request, one number a chunk, and the type in which each is kept."""


class LoadRunRecorder(OpenRun):
    """A load in the making."""

    def __init__(
        self,
        store: Store,
        study: Study,
        host: Mapping[str, object],
        command: str = "",
        going_on: GoingOn | None = None,
    ) -> None:
        super().__init__(store, study, host, RunKind.LOAD, command=command, going_on=going_on)
        stacks = {} if going_on is None else going_on.stored.stacks
        self._levels_done = {name: stack.levels for name, stack in stacks.items()}
        self._level_id: int | None = None
        self._levels_begun = 0
        self.requests_kept = 0

    def begin(self, condition: Condition) -> None:
        super().begin(condition)
        self._levels_begun = self._levels_done.get(condition.engine.name, 0)

    def begin_level(self, level: Level, client_error: ClientError | None) -> None:
        """A level of the current stack begins; the error is None if it was not calibrated."""
        assert self._condition_id is not None, "begin_level() before begin()"
        self._levels_begun += 1
        self._level_id = self._insert(
            "load_levels",
            {
                "condition_id": self._condition_id,
                "number": self._levels_begun,
                "arrivals": level.arrivals.value,
                "users": level.users,
                "rate": level.rate,
                "requests": level.requests,
                "duration_s": level.duration_s,
                "ramp_s": level.ramp_s,
                "warmup": level.warmup,
                "new_tokens": level.new_tokens,
                "client_error_json": error_json(client_error),
            },
        )

    def record(self, requests: FinishedRequests) -> None:
        """Requests of the current level have ended: one transaction for all of them."""
        assert self._level_id is not None, "record() before begin_level()"
        columns = {"level_id": [self._level_id] * len(requests.number), **_columns(requests)}
        if not len(requests.number):
            return
        with self._store.transaction() as connection:
            connection.executemany(
                insertion("load_requests", columns), zip(*columns.values(), strict=True)
            )
        self.requests_kept += len(requests.number)

    def end_level(self, end: LevelEnd) -> None:
        """The current level is over."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE load_levels SET started_ns = ?, ended_ns = ?, client_cpu_s = ?,"
                " peak_memory_bytes = ?, error = ?, wall_jump_ns = ?, held_back_json = ?"
                " WHERE level_id = ?",
                (
                    end.started_ns,
                    end.ended_ns,
                    end.client_cpu_s,
                    end.peak_memory_bytes,
                    end.error,
                    end.wall_jump_ns,
                    json.dumps(dict(end.held_back)),
                    self._level_id,
                ),
            )
        assert self._stack is not None, "end_level() before begin()"
        self.steps.go_on(self._stack, self._levels_begun)
        self._level_id = None

    def finish(self, *, peak_memory_bytes: int | None, error: str) -> None:
        super().finish(peak_memory_bytes=peak_memory_bytes, error=error)
        self._level_id = None
        self._levels_begun = 0


def _columns(requests: FinishedRequests) -> dict[str, Sequence[object]]:
    """One list for each column of the table, each as long as there are requests."""
    ends = requests.chunk_offsets.tolist()
    marks = requests.time or (TimeMarks(),) * len(requests.number)
    return {
        **{
            name: getattr(requests, name).tolist()
            for name in (
                "number",
                "user",
                "scheduled_ns",
                "sent_ns",
                "connect_ns",
                "tls_ns",
                "headers_ns",
                "ended_ns",
                "status",
                "prompt_tokens",
                "output_tokens",
            )
        },
        **{name: getattr(requests, name) for name in ("error_kind", "error", "stop", "text")},
        "suspended_ns": [one.suspended_ns for one in marks],
        "suspended_by": [", ".join(one.suspended_by) for one in marks],
        "engine_timings_json": [json.dumps(dict(one)) for one in requests.engine_timings],
        **{
            name: [pack(getattr(requests, name)[start:end], kind) for start, end in pairwise(ends)]
            for name, kind in CHUNK_KINDS.items()
        },
    }
