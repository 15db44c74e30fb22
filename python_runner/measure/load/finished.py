"""From the client's columns to `FinishedRequests`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from python_runner.engines.served.message import parse
from python_runner.measure.load.level import FinishedRequests

_HIDDEN = "***"
_DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
_COUNTS = ("prompt_eval_count", "eval_count")


class Record(Protocol):
    """`polystack_stream.LoadRecord`, where the columns are described."""

    @property
    def number(self) -> bytes: ...
    @property
    def user(self) -> bytes: ...
    @property
    def scheduled_ns(self) -> bytes: ...
    @property
    def sent_ns(self) -> bytes: ...
    @property
    def connect_ns(self) -> bytes: ...
    @property
    def tls_ns(self) -> bytes: ...
    @property
    def headers_ns(self) -> bytes: ...
    @property
    def ended_ns(self) -> bytes: ...
    @property
    def status(self) -> bytes: ...
    @property
    def prompt_tokens(self) -> bytes: ...
    @property
    def output_tokens(self) -> bytes: ...
    @property
    def chunk_offsets(self) -> bytes: ...
    @property
    def chunk_ns(self) -> bytes: ...
    @property
    def chunk_tokens(self) -> bytes: ...
    @property
    def chunk_reads(self) -> bytes: ...
    @property
    def chunk_is_reasoning(self) -> bytes: ...
    @property
    def error_kind(self) -> tuple[str, ...]: ...
    @property
    def error(self) -> tuple[str, ...]: ...
    @property
    def stop(self) -> tuple[str, ...]: ...
    @property
    def text(self) -> tuple[str, ...]: ...
    @property
    def final(self) -> tuple[bytes, ...]: ...


def finished_of(record: Record, *, secrets: Iterable[str] = ()) -> FinishedRequests:
    """The requests of a record; `secrets` are taken out of what servers repeat of them."""
    hidden = tuple(secret for secret in secrets if secret)
    return FinishedRequests(
        number=_int64(record.number),
        user=_int32(record.user),
        scheduled_ns=_int64(record.scheduled_ns),
        sent_ns=_int64(record.sent_ns),
        connect_ns=_int64(record.connect_ns),
        tls_ns=_int64(record.tls_ns),
        headers_ns=_int64(record.headers_ns),
        ended_ns=_int64(record.ended_ns),
        status=_int32(record.status),
        error_kind=record.error_kind,
        error=tuple(_hide(text, hidden) for text in record.error),
        prompt_tokens=_int32(record.prompt_tokens),
        output_tokens=_int32(record.output_tokens),
        stop=record.stop,
        text=tuple(_hide(text, hidden) for text in record.text),
        engine_timings=tuple(timings_of(payload) for payload in record.final),
        chunk_offsets=_int64(record.chunk_offsets),
        chunk_ns=_int64(record.chunk_ns),
        chunk_tokens=_int32(record.chunk_tokens),
        chunk_reads=_int32(record.chunk_reads),
        chunk_is_reasoning=np.frombuffer(record.chunk_is_reasoning, dtype=np.bool_),
    )


def timings_of(payload: bytes) -> Mapping[str, float]:
    """The engine's own figures in its last event, under the names that `compare` gives them."""
    if not payload:
        return {}
    try:
        message = parse(payload)
    except ValueError:
        return {}
    if not isinstance(message, dict):
        return {}
    timings = message.get("timings")
    found = timings if isinstance(timings, dict) else {}
    found |= {f"{name}_ns": message[name] for name in _DURATIONS if name in message}
    found |= {name: message[name] for name in _COUNTS if name in message}
    return {name: float(value) for name, value in found.items() if _is_number(value)}


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def _hide(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return text


def _int64(column: bytes) -> npt.NDArray[np.int64]:
    return np.frombuffer(column, dtype="<i8").astype(np.int64, copy=False)


def _int32(column: bytes) -> npt.NDArray[np.int32]:
    return np.frombuffer(column, dtype="<i4").astype(np.int32, copy=False)
