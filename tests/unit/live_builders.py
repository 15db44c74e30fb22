"""Runs that are still going on, with a clock that tests set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from python_runner.analyse.latency import sample_figures
from python_runner.common.clock import NS_PER_S
from python_runner.report.live_data import LiveRun, SoFar, live_facts, live_run
from python_runner.store import open_run, steps
from tests.golden.frames import (
    LLAMA_CPP,
    MISTRAL_RS,
    OLLAMA,
    TRANSFORMERS,
    FakeStack,
    build_frames,
    rename,
)

ITERATIONS, WARMUP, BLOCKS = 10, 2, 5


class Clock:
    """Nanoseconds that go on only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000 * NS_PER_S

    def __call__(self) -> int:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += round(seconds * NS_PER_S)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all that is recorded."""
    made = Clock()
    for module in (open_run, steps):
        monkeypatch.setattr(module, "now_ns", made)
    return made


def steps_of(stacks: Sequence[FakeStack], begun: int, ended: int) -> list[dict[str, Any]]:
    """Visits in turns of ten seconds each, so many begun and so many of those over."""
    planned = [(block, stack) for block in range(1, BLOCKS + 1) for stack in stacks]
    return [
        {
            "stack": stack.name,
            "title": stack.title,
            "number": block,
            "requests": ITERATIONS // BLOCKS + (WARMUP if block == 1 else 1),
            "timed": ITERATIONS // BLOCKS,
            "expected_s": None,
            "began_ns": 10 * (place + 1) * NS_PER_S if place < begun else None,
            "ended_ns": 10 * (place + 2) * NS_PER_S if place < ended else None,
        }
        for place, (block, stack) in enumerate(planned)
    ]


def so_far(stacks: Sequence[tuple[FakeStack, int]], *, begun: int, ended: int, **run: Any) -> SoFar:
    """A comparison that goes on.

    Args:
        stacks: each with how often it was loaded; how many samples it has, it says itself.
        begun: visits that were begun, in turns; ended: those of them that are over.
        run: changes to the run's row.
    """
    found = [stack for stack, _ in stacks]
    frames = build_frames(found, status="running", iterations=ITERATIONS)
    conditions = [
        {**row, "loads": count}
        for row, (_, count) in zip(rows(frames.conditions), stacks, strict=True)
        if count or row["error"]
    ]
    return SoFar(
        run={**rows(frames.runs)[0], **run},
        conditions=conditions,
        steps=steps_of(found, begun, ended),
        levels=(),
        samples=[{**row, **sample_figures(row)} for row in rows(frames.samples)],
        points={},
    )


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict(orient="records")]


def shown(found: SoFar) -> LiveRun:
    """What is shown of it."""
    conditions = pd.DataFrame(found.conditions, columns=list(build_frames().conditions))
    return live_run(found, live_facts(conditions, pd.DataFrame([found.run])))


def four_in_the_middle() -> SoFar:
    """The second block: one ended early, one fails at times, one is loading, one waits."""
    return so_far(
        [
            (rename(LLAMA_CPP, samples_kept=6), 2),
            (rename(MISTRAL_RS, samples_kept=0, error="signal SIGILL (illegal instruction)"), 0),
            (rename(OLLAMA, samples_kept=5, failures={3: "timed out after 600 s"}), 2),
            (rename(TRANSFORMERS, samples_kept=4), 1),
        ],
        begun=7,
        ended=6,
    )
