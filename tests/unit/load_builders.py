"""Loads for tests: change what the test is about, leave the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.load.levels import summarise_levels
from python_runner.analyse.load.request import request_figures
from python_runner.measure.load.level import (
    Arrivals,
    ClientError,
    FinishedRequests,
    Level,
    LevelEnd,
)
from python_runner.store import Frames, LoadRunRecorder, Store, read_frames
from tests.unit.builders import condition, study

NS_PER_MS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class FakeRequest:
    """One request. Times in ms from the start of the level; chunks one token and read each."""

    sent: float = 0.0
    scheduled: float | None = None
    """None: when it was sent."""
    chunks: Sequence[float] = (50.0, 60.0, 70.0, 80.0)
    """When each chunk came."""
    tokens: Sequence[int] | None = None
    """Of each chunk; None: 1."""
    reads: Sequence[int] | None = None
    """Of each chunk; None: one of its own."""
    reasoning: int = 0
    """First chunks that are reasoning."""
    ended: float | None = None
    user: int = 0
    connect: float = 0.0
    tls: float = 0.0
    error_kind: str = ""
    error: str = ""
    output_tokens: int | None = None
    stop: str = "length"
    status: int = 200
    timings: Mapping[str, float] = field(default_factory=dict)
    text: str = ""


def finished(
    requests: Sequence[FakeRequest], *, start_ns: int = 0, first: int = 0
) -> FinishedRequests:
    """`requests` as the client hands them over, numbered from `first`."""
    counts = [len(one.chunks) for one in requests]
    tokens = [one.tokens or [1] * len(one.chunks) for one in requests]
    reads = [one.reads or range(len(one.chunks)) for one in requests]

    def ns(values: Sequence[float]) -> Any:
        return np.array([start_ns + round(value * NS_PER_MS) for value in values], dtype=np.int64)

    def span(values: Sequence[float]) -> Any:
        return np.array([round(value * NS_PER_MS) for value in values], dtype=np.int64)

    return FinishedRequests(
        number=np.arange(first, first + len(requests), dtype=np.int64),
        user=np.array([one.user for one in requests], dtype=np.int32),
        scheduled_ns=ns([one.sent if one.scheduled is None else one.scheduled for one in requests]),
        sent_ns=ns([one.sent for one in requests]),
        connect_ns=span([one.connect for one in requests]),
        tls_ns=span([one.tls for one in requests]),
        headers_ns=ns([one.chunks[0] if one.chunks else one.sent for one in requests]),
        ended_ns=ns([end_of(one) for one in requests]),
        status=np.array([one.status for one in requests], dtype=np.int32),
        error_kind=tuple(one.error_kind for one in requests),
        error=tuple(one.error for one in requests),
        prompt_tokens=np.full(len(requests), 48, dtype=np.int32),
        output_tokens=np.array(
            [
                sum(mine) if one.output_tokens is None else one.output_tokens
                for one, mine in zip(requests, tokens, strict=True)
            ],
            dtype=np.int32,
        ),
        stop=tuple("" if one.error_kind else one.stop for one in requests),
        text=tuple(one.text for one in requests),
        engine_timings=tuple(one.timings for one in requests),
        chunk_offsets=np.array([0, *np.cumsum(counts)], dtype=np.int64),
        chunk_ns=ns([stamp for one in requests for stamp in one.chunks]),
        chunk_tokens=np.array([count for mine in tokens for count in mine], dtype=np.int32),
        chunk_reads=np.array([read for mine in reads for read in mine], dtype=np.int32),
        chunk_is_reasoning=np.array(
            [index < one.reasoning for one in requests for index in range(len(one.chunks))],
            dtype=np.bool_,
        ),
    )


def end_of(one: FakeRequest) -> float:
    if one.ended is not None:
        return one.ended
    return one.chunks[-1] if one.chunks else one.sent + 1.0


def closed(users: int = 2, **changes: Any) -> Level:
    values: dict[str, Any] = {"requests": None, "duration_s": 10.0, **changes}
    return Level(arrivals=Arrivals.CLOSED, users=users, rate=None, **values)


def opened(rate: float = 10.0, **changes: Any) -> Level:
    values: dict[str, Any] = {
        "arrivals": Arrivals.CONSTANT,
        "requests": None,
        "duration_s": 10.0,
        **changes,
    }
    return Level(users=None, rate=rate, **values)


def level_end(started_ns: int = 0, ended_ns: int = 10_000 * NS_PER_MS, error: str = "") -> LevelEnd:
    return LevelEnd(
        started_ns=started_ns,
        ended_ns=ended_ns,
        client_cpu_s=0.25,
        peak_memory_bytes=123_456,
        error=error,
    )


def client_error(**changes: Any) -> ClientError:
    values: dict[str, Any] = {
        "streams": 2,
        "events": 2_000,
        "ttft_p50_ms": 0.15,
        "ttft_p99_ms": 0.9,
        "itl_p50_ms": 0.04,
        "itl_p99_ms": 0.6,
        "rate_share": 0.998,
        "cpu_s_per_1000_events": 0.006,
        "server_late_p99_ms": 0.1,
    }
    return ClientError(**{**values, **changes})


def load_frames(
    *levels: tuple[Level, Sequence[FakeRequest]],
    error: ClientError | None = None,
    is_over: bool = True,
) -> Frames:
    """One stored run of one stack, as it is read back; each level starts at 0 ms.

    Without `is_over` it is the run of a program that died: no level has an end.
    """
    with Store(Path(":memory:")) as store:
        with LoadRunRecorder(store, study(), {}) as recorder:
            recorder.begin(condition())
            for level, requests in levels:
                recorder.begin_level(level, error)
                recorder.record(finished(requests))
                if is_over:
                    recorder.end_level(level_end())
            recorder.finish(peak_memory_bytes=None, error="")
        return read_frames(store)


def figures_of(*requests: FakeRequest, level: Level | None = None) -> pd.DataFrame:
    """`request_figures` of one level."""
    frames = load_frames((level or closed(), requests))
    return request_figures(frames.load_requests, frames.load_levels)


def level_rows(
    level: Level, requests: Sequence[FakeRequest], targets_ms: Mapping[str, float] | None = None
) -> pd.Series[Any]:
    """The summary of one level."""
    frames = load_frames((level, requests), error=client_error())
    figures = request_figures(frames.load_requests, frames.load_levels)
    return summarise_levels(figures, frames.load_levels, targets_ms).iloc[0]


def steady(
    users: int, each: int, *, ttft: float = 50.0, gap: float = 10.0, tokens: int = 5
) -> list[FakeRequest]:
    """Users that all behave alike, one request after the other, in order of sending."""
    lasts = ttft + gap * (tokens - 1)
    return [
        FakeRequest(
            sent=turn * lasts,
            user=user,
            chunks=[turn * lasts + ttft + gap * index for index in range(tokens)],
        )
        for turn in range(each)
        for user in range(users)
    ]
