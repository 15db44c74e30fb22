"""Runs of loads as `store` reads them, simulated without chance: a queue before a few slots."""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from python_runner.engines.contract import Language, Reach
from python_runner.measure import Condition
from python_runner.measure.load.level import ClientError, Level
from python_runner.store import Frames, LoadRunRecorder, Store, read_frames
from tests.golden.frames import CPU
from tests.unit.builders import condition, model, settings, spec, study
from tests.unit.load_builders import (
    FakeRequest,
    client_error,
    closed,
    finished,
    level_end,
    opened,
)

START_NS = 5_000_000_000_000
TOKENS = 16
_HOST = {
    "cpu": CPU,
    "cores": 2,
    "memory_bytes": 25_300_000_000,
    "os": "Linux 6.1.0",
    "python": "3.11.2",
}


@dataclass(frozen=True, kw_only=True)
class FakeServer:
    """A stack under load, and how it is to behave. Times in ms."""

    name: str
    title: str
    language: Language
    version: str = "1.2.3"
    slots: int = 4
    prefill: float = 30.0
    gap: float = 10.0
    fails: Mapping[int, tuple[str, int, str]] = field(default_factory=dict)
    """Every n-th request of a level with so many users: kind, n, reason."""
    tokens_per_chunk: int = 1
    reads_together: int = 0
    """Every n-th chunk comes in one read with the one before; 0: none."""
    reasoning: int = 0
    own_decode: bool = True
    error: str = ""
    calibrated: bool = True
    warning: str = ""


LLAMA = FakeServer(name="llama-server", title="llama-server", language=Language.CPP)
OLLAMA = FakeServer(
    name="ollama", title="Ollama", language=Language.GO, version="0.17.4", prefill=45.0, gap=11.5
)
MISTRAL = FakeServer(
    name="mistral.rs-server",
    title="mistral.rs server",
    language=Language.RUST,
    version="0.8.1",
    prefill=38.0,
    gap=14.0,
)
PYTHON = FakeServer(
    name="vllm", title="vLLM", language=Language.PYTHON, version="0.32.0", prefill=60.0, gap=9.0
)
USERS = (1, 4, 16)


def build_load(
    servers: Sequence[FakeServer],
    levels: Sequence[Level],
    *,
    slo: Mapping[str, str] | None = None,
    status: str = "complete",
    published: Mapping[str, object] | None = None,
) -> Frames:
    """One run: each server under each level."""
    with Store(Path(":memory:")) as store:
        record_load(store, servers, levels, slo=slo, published=published)
        frames = read_frames(store)
    runs = frames.runs.assign(
        run_id=8, created="2026-11-20T10:15:00+00:00", status=status, program_version="0.1.0"
    )
    tables = (frames.conditions, frames.load_levels, frames.load_requests)
    conditions, found, requests = (table.assign(run_id=8) for table in tables)
    return replace(
        frames, runs=runs, conditions=conditions, load_levels=found, load_requests=requests
    )


def record_load(
    store: Store,
    servers: Sequence[FakeServer],
    levels: Sequence[Level],
    *,
    slo: Mapping[str, str] | None = None,
    published: Mapping[str, object] | None = None,
) -> int:
    """Keep such a run in `store`; its number."""
    load = {
        **({"users": [level.users for level in levels]} if levels and levels[0].users else {}),
        **({"rate": [level.rate for level in levels]} if levels and levels[0].rate else {}),
        "requests": 80,
        "slo": dict(slo or {}),
    }
    plan = study(
        name="load-demo", title="a load", load=load if levels else None, published=published
    )
    with LoadRunRecorder(store, plan, _HOST) as recorder:
        for server in servers:
            _measure(recorder, server, levels)
    return recorder.run_id


def _measure(recorder: LoadRunRecorder, server: FakeServer, levels: Sequence[Level]) -> None:
    recorder.begin(_condition(server))
    for level in () if server.error else levels:
        requests = simulate(server, level)
        recorder.begin_level(level, _error_of(server, level))
        recorder.record(finished(requests, start_ns=START_NS))
        last = max((one.ended or 0.0 for one in requests), default=0.0)
        recorder.end_level(level_end(START_NS, START_NS + round(last * 1e6)))
    recorder.finish(peak_memory_bytes=900_000_000, error=server.error)


def _error_of(server: FakeServer, level: Level) -> ClientError | None:
    if not server.calibrated:
        return None
    streams = level.users or 4
    return client_error(
        streams=streams,
        ttft_p50_ms=0.12 + 0.01 * streams,
        ttft_p99_ms=0.8 + 0.1 * streams,
        warning=server.warning if streams == max(USERS) else "",
    )


def _condition(server: FakeServer) -> Condition:
    return replace(
        condition(),
        engine=replace(
            spec(),
            name=server.name,
            title=server.title,
            language=server.language,
            reach=Reach.SERVED,
        ),
        settings=replace(
            settings(),
            model=replace(
                model(),
                name="gemma-2-tiny",
                label="Gemma-2 tiny, trained",
                is_synthetic=False,
                source_sha256="ab" * 32,
            ),
            context=256,
            slots=server.slots,
        ),
        prompt_cache="unique prompts: every prompt differs from its first token on",
        version="" if server.error else server.version,
        build={} if server.error else {"compiler": "gcc 12.2", "flags": "-O3 -mavx512f"},
        load_seconds=None if server.error else 1.4,
    )


def simulate(server: FakeServer, level: Level) -> list[FakeRequest]:
    """All requests of a level: first come, first served, by as many as there are slots."""
    free = [0.0] * server.slots
    waiting = _arrivals(level)
    most = level.requests or len(waiting)
    done: list[FakeRequest] = []
    while waiting and len(done) < most:
        due, user = heapq.heappop(waiting)
        fault = server.fails.get(level.users or 0)
        if fault and (len(done) + 1) % fault[1] == 0:
            end = due + 3.0
            kind, _, reason = fault
            done.append(
                FakeRequest(
                    sent=due,
                    user=user,
                    chunks=(),
                    error_kind=kind,
                    error=reason,
                    status=429,
                    ended=end,
                )
            )
        else:
            begin = max(due, heapq.heappop(free))
            one = _answer(server, due, begin, user, len(done))
            end = one.ended or 0.0
            heapq.heappush(free, end)
            done.append(one)
        if level.users:
            heapq.heappush(waiting, (end, user))
    return done


def _arrivals(level: Level) -> list[tuple[float, int]]:
    if level.users:
        step = level.ramp_s * 1000 / level.users
        return [(user * step, user) for user in range(level.users)]
    assert level.rate
    count = level.requests or round(level.rate * (level.duration_s or 0.0))
    return [(index * 1000 / level.rate, index % 8) for index in range(count)]


def _answer(server: FakeServer, due: float, begin: float, user: int, number: int) -> FakeRequest:
    wave = math.sin(12.9898 * number + len(server.name)) * 43_758.5453
    wobble = 1 + 0.2 * (wave - math.floor(wave))
    stamps, reads = [begin + server.prefill * wobble], [0]
    for index in range(1, TOKENS // server.tokens_per_chunk):
        gap = server.gap * server.tokens_per_chunk * wobble
        gap += 4 * server.gap if (index + number) % 20 == 0 else 0.0
        joins = server.reads_together and index % server.reads_together == 0
        stamps.append(stamps[-1] if joins else stamps[-1] + gap)
        reads.append(reads[-1] if joins else reads[-1] + 1)
    decode = stamps[-1] - stamps[0]
    return FakeRequest(
        sent=due,
        user=user,
        chunks=stamps,
        reads=reads,
        tokens=[server.tokens_per_chunk] * len(stamps),
        reasoning=server.reasoning,
        ended=stamps[-1] + 0.1,
        timings={"predicted_ms": decode * 0.998} if server.own_decode else {},
    )


def closed_levels(users: Sequence[int] = USERS, requests: int = 80, **more: Any) -> list[Level]:
    """A closed loop of each of `users`."""
    values: dict[str, Any] = {"warmup": 4, "duration_s": None, "new_tokens": TOKENS, **more}
    return [closed(count, requests=max(requests, 5 * count), **values) for count in users]


def open_levels(rates: Sequence[float] = (2.0, 10.0, 30.0), **more: Any) -> list[Level]:
    """An open loop of each of `rates`."""
    values: dict[str, Any] = {"warmup": 4, "duration_s": 8.0, "new_tokens": TOKENS, **more}
    return [opened(rate, **values) for rate in rates]


_SLO = {"ttft": "200ms", "itl": "50ms"}
_BUSY = ("status", 5, "429 Too Many Requests: try again in 3 s")

LOADS: dict[str, Callable[[], Frames]] = {
    "one stack": lambda: build_load([LLAMA], closed_levels()),
    "one level": lambda: build_load([LLAMA, OLLAMA], closed_levels([8])),
    "four": lambda: build_load([LLAMA, OLLAMA, MISTRAL, PYTHON], closed_levels(), slo=_SLO),
    "open": lambda: build_load([LLAMA, OLLAMA], open_levels(), slo=_SLO),
    "troubled": lambda: build_load(
        [
            replace(
                LLAMA,
                fails={16: _BUSY},
                warning="at 16 streams the client gives 91 % of "
                "the events that were due: its figures would be too slow",
            ),
            replace(OLLAMA, tokens_per_chunk=4, reads_together=3, reasoning=2, calibrated=False),
            replace(MISTRAL, error="signal SIGKILL (out of memory)"),
        ],
        closed_levels(),
        slo=_SLO,
        status="interrupted",
    ),
    "many levels": lambda: build_load(
        [LLAMA, OLLAMA], closed_levels([1, 2, 4, 8, 16, 32, 64, 128], requests=40)
    ),
    "too short": lambda: build_load([LLAMA], [closed(8, requests=8, duration_s=None)]),
    "many requests": lambda: build_load([LLAMA], closed_levels([4, 8], requests=1_000)),
    "only failures": lambda: build_load(
        [replace(LLAMA, fails={4: ("connect", 1, "connection refused")})], closed_levels([4])
    ),
    "nothing started": lambda: build_load([replace(LLAMA, error="no such file")], closed_levels()),
    "no stack": lambda: build_load([], closed_levels(), status="interrupted"),
}


def study_of(frames: Frames) -> Mapping[str, Any]:
    """The study of the one run."""
    found: Mapping[str, Any] = json.loads(frames.runs["study_json"].iloc[0])
    return found
