"""Keeps a comparison as it is measured. Implements `measure.Recorder`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from python_runner.measure.sample import FailedAttempt, Sample
from python_runner.store.arrays import pack
from python_runner.store.going_on import GoingOn
from python_runner.store.open_run import OpenRun, insertion
from python_runner.store.run_kind import RunKind
from python_runner.store.store import Store
from python_runner.study import Study


class RunRecorder(OpenRun):
    """A comparison in the making."""

    def __init__(
        self,
        store: Store,
        study: Study,
        host: Mapping[str, object],
        command: str = "",
        going_on: GoingOn | None = None,
    ) -> None:
        super().__init__(store, study, host, RunKind.COMPARISON, command=command, going_on=going_on)
        self.samples_kept = 0

    def record(self, sample: Sample) -> None:
        """One request has ended; when this returns, the sample is on disk."""
        assert self._condition_id is not None, "record() before begin()"
        values: dict[str, object] = {
            "condition_id": self._condition_id,
            "iteration": sample.iteration,
            "is_warmup": int(sample.is_warmup),
            "prompt_text": sample.prompt_text,
            "reference_prompt_tokens": sample.prompt_tokens,
            "requested_tokens": sample.requested_tokens,
            "error": sample.error,
            "block": sample.block,
            "probe_compute_ns": sample.noise and sample.noise.compute_ns,
            "probe_memory_ns": sample.noise and sample.noise.memory_ns,
            "probe_elapsed_ns": sample.noise and sample.noise.elapsed_ns,
            "probe_waited_ns": sample.noise and sample.noise.waited_ns,
            "suspended_ns": sample.time.suspended_ns,
            "suspended_by": ", ".join(sample.time.suspended_by),
            "wall_jump_ns": sample.time.wall_jump_ns,
            "resources_json": json.dumps(dict(sample.resources)),
            "attempt": sample.attempt,
            **_answer_columns(sample),
        }
        self._insert("samples", values)
        self.samples_kept += 1

    def keep_attempt(self, failed: FailedAttempt) -> None:
        """An attempt has failed, and another will be made; when this returns, it is on disk."""
        self.keep_attempts([failed])

    def keep_attempts(self, failed: Iterable[FailedAttempt]) -> None:
        """As `keep_attempt`, of several."""
        rows = [{"run_id": self.run_id, **asdict(each)} for each in failed]
        with self._store.transaction() as connection:
            for row in rows:
                connection.execute(insertion("failed_attempts", row), tuple(row.values()))

    def looked(self, iterations: Sequence[int], *, limit: int) -> None:
        """The intervals were looked at, to decide whether to go on.

        Args:
            iterations: of each stack at every look so far.
            limit: the most that will be made.
        """
        looks = json.dumps({"at": list(iterations), "limit": limit})
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE runs SET looks_json = ? WHERE run_id = ?", (looks, self.run_id)
            )


def _answer_columns(sample: Sample) -> dict[str, object]:
    answer = sample.generation
    if answer is None:
        return {
            "requested_ns": 0,
            "chunk_ns": b"",
            "chunk_tokens": b"",
            "ended_ns": 0,
            "prompt_tokens": 0,
            "output_tokens": 0,
            "stop": "",
            "text": "",
            "token_ids": None,
            "engine_timings_json": "{}",
        }
    return {
        "requested_ns": answer.requested_ns,
        "chunk_ns": pack(answer.chunk_ns),
        "chunk_tokens": pack(answer.chunk_tokens),
        "ended_ns": answer.ended_ns,
        "prompt_tokens": answer.prompt_tokens,
        "output_tokens": answer.output_tokens,
        "stop": answer.stop.value,
        "text": answer.text,
        "token_ids": None if answer.token_ids is None else pack(answer.token_ids),
        "engine_timings_json": json.dumps(dict(answer.engine_timings)),
    }
