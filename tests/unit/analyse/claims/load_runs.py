"""Loads for claims: users before a queue, in simulated time."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from python_runner.analyse.claims import RunFrames
from python_runner.engines.contract import Reach
from python_runner.measure.load.level import Level
from python_runner.store import LoadRunRecorder, Store, read_frames
from tests.unit.builders import condition, spec, study
from tests.unit.load_builders import FakeRequest, closed, finished, level_end

TOKENS = 5


@dataclass(frozen=True, kw_only=True)
class Server:
    """A stack under load."""

    name: str
    prefill_ms: float = 50.0
    gap_ms: float = 10.0
    noise: float = 0.03
    slots: int = 4
    users: Mapping[int, float] | tuple[int, ...] = (10,)
    """Numbers of users; as a mapping, each with a factor for all times."""
    each: int = 40
    """Requests of a user."""
    failing: int = 0
    """How many of a level's requests fail."""


def run_of(*servers: Server, run_id: int = 1, **changes: Any) -> RunFrames:
    """A stored load of these stacks, one after the other."""
    with Store(Path(":memory:")) as store:
        with LoadRunRecorder(store, study(), {}) as recorder:
            for server in servers:
                recorder.begin(
                    replace(
                        condition(),
                        engine=replace(
                            spec(), name=server.name, title=server.name.title(), reach=Reach.SERVED
                        ),
                    )
                )
                for users in server.users:
                    recorder.begin_level(level(users), None)
                    recorder.record(finished(requests_of(server, users)))
                    recorder.end_level(level_end())
                recorder.finish(peak_memory_bytes=None, error="")
        frames = read_frames(store)
    run = {str(key): value for key, value in frames.runs.iloc[0].items()}
    return RunFrames(
        samples=frames.samples,
        conditions=frames.conditions,
        run={**run, "run_id": run_id, **changes},
        requests=frames.load_requests,
        levels=frames.load_levels,
    )


def level(users: int) -> Level:
    return closed(users, warmup=users)


def requests_of(server: Server, users: int) -> list[FakeRequest]:
    """First come, first served, by as many as there are slots."""
    factor = server.users[users] if isinstance(server.users, Mapping) else 1.0
    rng = np.random.default_rng([users, *server.name.encode()])
    starts, prefills = queue(
        users=users,
        slots=server.slots,
        each=server.each,
        prefill_ms=server.prefill_ms * factor,
        decode_ms=server.gap_ms * factor * (TOKENS - 1),
        noise=server.noise,
        rng=rng,
    )
    made = [
        FakeRequest(
            sent=sent,
            user=user,
            chunks=[first + server.gap_ms * factor * index for index in range(TOKENS)],
        )
        for (sent, user), first in zip(starts, prefills, strict=True)
    ]
    for index in range(server.failing):
        place = len(made) // 2 + index
        made[place] = replace(made[place], error_kind="status", error="busy", chunks=[])
    return made


def queue(
    *,
    users: int,
    slots: int,
    each: int,
    prefill_ms: float,
    decode_ms: float,
    noise: float,
    rng: np.random.Generator,
) -> tuple[Sequence[tuple[float, int]], Sequence[float]]:
    """When each request is sent and by whom, and when its first token is there."""
    free = [0.0] * slots
    waiting = [(0.001 * user, user) for user in range(users)]
    heapq.heapify(waiting)
    sent, firsts = [], []
    scatter = np.exp(noise * rng.standard_normal(users * each))
    for factor in scatter:
        now, user = heapq.heappop(waiting)
        begin = max(now, heapq.heappop(free))
        end = begin + (prefill_ms + decode_ms) * factor
        heapq.heappush(free, end)
        heapq.heappush(waiting, (end, user))
        sent.append((now, user))
        firsts.append(begin + prefill_ms * factor)
    return sent, firsts
