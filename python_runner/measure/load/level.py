"""What one level of a load asks for, and what it leaves behind, raw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from python_runner.engines.outside import NetworkReading
from python_runner.measure.client_error import ClientError
from python_runner.measure.sample import Condition
from python_runner.measure.time_watch import TimeMarks

__all__ = [
    "Arrivals",
    "ClientError",
    "FinishedRequests",
    "Level",
    "LevelEnd",
    "LoadRecorder",
]

Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]


class Arrivals(StrEnum):
    """What decides when a request is sent."""

    CLOSED = "closed"
    """N users; each sends its next request when it has its answer."""
    CONSTANT = "constant"
    """Open loop: at even distances, whatever the server does."""
    POISSON = "poisson"
    """Open loop: gaps drawn from an exponential distribution, by the seed."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """One level: how many users or requests a second, and for how long."""

    arrivals: Arrivals
    users: int | None
    """Closed loop; None in an open loop."""
    rate: float | None
    """Requests per second, open loop; None in a closed one."""
    requests: int | None
    """Ends after that many; None: `duration_s` ends it."""
    duration_s: float | None
    """No request is sent after that many seconds; those under way are waited for."""
    ramp_s: float = 0.0
    """Seconds over which the users start, or the rate grows; 0: at once."""
    warmup: int = 0
    """First requests that are kept, marked and left out of the figures."""
    new_tokens: int | None = None
    """Tokens that every answer was asked for, if it is one number: other counts are judged by it.

    None: answers may have any length.
    """


@dataclass(frozen=True, kw_only=True)
class FinishedRequests:
    """Requests that have ended, in columns. n requests, m chunks with content in all.

    Times are nanoseconds of CLOCK_MONOTONIC; 0: did not happen.
    """

    number: Int64s
    """Shape (n,): order of sending, from 0."""
    user: Int32s
    """(n,): closed loop: which user, from 0; open loop: which connection, -1: it never had one."""
    scheduled_ns: Int64s
    """(n,): when it was due. Latencies count from here; in a closed loop it is `sent_ns`."""
    sent_ns: Int64s
    """(n,): just before its first byte was written."""
    connect_ns: Int64s
    """(n,): duration of opening the connection (with its TLS), if this request had to; else 0."""
    tls_ns: Int64s
    """(n,): the part of `connect_ns` that TLS took."""
    headers_ns: Int64s
    ended_ns: Int64s
    status: Int32s
    """(n,): HTTP status; 0: no answer."""
    error_kind: tuple[str, ...]
    """(n,): empty: none; else see `polystack_stream.LoadRecord.error_kind`."""
    error: tuple[str, ...]
    """(n,): the reason, with the beginning of the server's words."""
    prompt_tokens: Int32s
    """(n,): as the server counts them; -1: it does not say."""
    output_tokens: Int32s
    """(n,): as the server counts them, else the sum of `chunk_tokens`; -1: not known."""
    stop: tuple[str, ...]
    """(n,): `length`, `end-of-sequence`, or empty."""
    text: tuple[str, ...]
    """(n,): the answer; empty strings if it was not kept."""
    engine_timings: tuple[Mapping[str, float], ...]
    """(n,): the engine's own figures, under its own names."""
    chunk_offsets: Int64s
    """(n + 1,): chunks of request i are [offsets[i], offsets[i + 1])."""
    chunk_ns: Int64s
    """(m,): the socket read that completed the chunk."""
    chunk_tokens: Int32s
    """(m,): tokens in it; 0: not known."""
    chunk_reads: Int32s
    """(m,): number of that read on its connection: chunks of one read have no gap of their own."""
    chunk_is_reasoning: npt.NDArray[np.bool_]
    """(m,)"""
    time: tuple[TimeMarks, ...] | None = None
    """(n,): whether time went on as usual while each was under way; None: nobody looked."""


@dataclass(frozen=True, kw_only=True)
class LevelEnd:
    """What is known when a level is over."""

    started_ns: int
    """The clock started: all connections stood."""
    ended_ns: int
    client_cpu_s: float
    """CPU time of the client's thread."""
    peak_memory_bytes: int | None
    """Of the engine's processes; None where they are not ours."""
    error: str = ""
    """Why it was broken off, if it was."""
    wall_jump_ns: int | None = None
    """How far the wall clock was set within it; None: not known."""
    held_back: Mapping[str, float] = field(default_factory=dict)
    """What kept the processors or the engine back (`measure.held_back`)."""


class LoadRecorder(Protocol):
    """Keeps what a load leaves behind. When a call returns, its data are safe on disk."""

    def begin(self, condition: Condition) -> None:
        """A stack is ready and will be measured under `condition`."""

    def begin_level(self, level: Level, client_error: ClientError | None) -> None:
        """A level of the current stack begins; the error is None if it was not calibrated."""

    def record(self, requests: FinishedRequests) -> None:
        """Requests of the current level have ended."""

    def end_level(self, end: LevelEnd) -> None:
        """The current level is over."""

    def keep_network(self, readings: Sequence[NetworkReading]) -> None:
        """The way to the current stack was looked at."""

    def finish(self, *, peak_memory_bytes: int | None, error: str) -> None:
        """The current stack is done; `error` says why, if it was before its time."""
