"""Keeps a run as it is measured. Implements `measure.Recorder`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType

import numpy as np

from python_runner import __version__
from python_runner.common.clock import utc_date
from python_runner.measure.sample import Condition, Sample
from python_runner.store.store import Store
from python_runner.study import Study

_LITTLE_ENDIAN_INT64 = "<i8"


def pack(values: tuple[int, ...]) -> bytes:
    """Integers as a BLOB of 64-bit little-endian numbers."""
    return np.asarray(values, dtype=_LITTLE_ENDIAN_INT64).tobytes()


def unpack(blob: bytes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The integers of a BLOB that `pack` made, shape (n,)."""
    return np.frombuffer(blob, dtype=_LITTLE_ENDIAN_INT64).astype(np.int64)


class RunRecorder:
    """One run in the making. In a `with` statement, so that its end is recorded too."""

    def __init__(self, store: Store, study: Study, host: Mapping[str, object]) -> None:
        self._store = store
        self._condition_id: int | None = None
        self.samples_kept = 0
        with store.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO runs (study, created, status, study_json, host_json, program_version)"
                " VALUES (?, ?, 'running', ?, ?, ?)",
                (study.name, utc_date(), study.model_dump_json(), json.dumps(host), __version__),
            )
            assert cursor.lastrowid is not None
            self.run_id: int = cursor.lastrowid

    def begin(self, condition: Condition) -> None:
        """A stack is ready (or failed to start) under `condition`."""
        spec, settings = condition.engine, condition.settings
        values = {
            "run_id": self.run_id,
            "stack": spec.name,
            "title": spec.title,
            "language": spec.language.value,
            "reach": spec.reach.value,
            "version": condition.version,
            "build_json": json.dumps(dict(condition.build), sort_keys=True),
            "model": settings.model.name,
            "model_label": settings.model.label,
            "is_synthetic": int(settings.model.is_synthetic),
            "source_sha256": settings.model.source_sha256,
            "precision": settings.precision,
            "device": settings.device,
            "threads": settings.threads,
            "context": settings.context,
            "template": condition.template,
            "sampling": condition.sampling,
            "prompt_cache": condition.prompt_cache,
            "load_seconds": condition.load_seconds,
        }
        self._condition_id = self._insert("conditions", values)

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
            **_answer_columns(sample),
        }
        self._insert("samples", values)
        self.samples_kept += 1

    def finish(self, *, peak_memory_bytes: int | None, error: str) -> None:
        """The current stack is done; `error` says why, if it was before its time."""
        with self._store.transaction() as connection:
            connection.execute(
                "UPDATE conditions SET peak_memory_bytes = ?, error = ? WHERE condition_id = ?",
                (peak_memory_bytes, error, self._condition_id),
            )
        self._condition_id = None

    def __enter__(self) -> RunRecorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        status = "complete" if kind is None else "interrupted"
        with self._store.transaction() as connection:
            connection.execute("UPDATE runs SET status = ? WHERE run_id = ?", (status, self.run_id))

    def _insert(self, table: str, values: Mapping[str, object]) -> int:
        columns = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        with self._store.transaction() as connection:
            cursor = connection.execute(
                f"INSERT INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608 - names are ours
                tuple(values.values()),
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


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
