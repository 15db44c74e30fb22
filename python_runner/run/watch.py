"""Follow a run that goes on, from its own process or from another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from python_runner.analyse.latency import sample_figures
from python_runner.analyse.live import RequestPoints, request_points
from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.common.process_mark import Life
from python_runner.report.live_data import (
    LiveClock,
    LiveFacts,
    LiveRun,
    SoFar,
    live_facts,
    live_run,
)
from python_runner.run.pace import Pace, left_s
from python_runner.store import Store
from python_runner.store.follow import Followed, Follower, life_of, unfinished_runs


class Watch:
    """Follows one run. In a `with` statement, so that its connection is closed."""

    def __init__(self, path: Path, run_id: int, clock: Callable[[], int] = now_ns) -> None:
        """Open the store for reading.

        Args:
            path: of the store.
            run_id: of a run in it.
            clock: nanoseconds of CLOCK_MONOTONIC.

        Raises:
            StoreError: the store cannot be read, or is of an older polystack.
        """
        self._follower = Follower(path, run_id)
        self._clock = clock
        self._stacks = 0
        self._began_ns = 0
        self._points: dict[int, RequestPoints] = {}
        self._samples: list[dict[str, Any]] = []
        self._facts: LiveFacts | None = None
        self._remaining: Remaining | None = None
        self._run: LiveRun | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._follower.close()

    def look(self) -> LiveRun:
        """What is stored now; the same object again as long as nothing is new."""
        news = self._follower.read()
        if news is not None:
            so_far = self._with(news)
            if self._facts is None or len(news.conditions) != self._stacks:
                self._facts = live_facts(*self._follower.frames())
                self._stacks = len(news.conditions)
            self._began_ns = news.run["began_ns"] or 0
            self._remaining = remaining(so_far)
            self._run = live_run(so_far, self._facts)
        assert self._run is not None, "the first look brings news"
        return self._run

    def clock(self) -> LiveClock:
        """Time gone and time left, by what the last look found."""
        now, left = self._clock(), self._remaining
        assert left is not None, "clock() before look()"
        return LiveClock(
            gone_s=max(0.0, (now - self._began_ns) / NS_PER_S),
            left_s=left.left_s(now),
            between=left.began_ns is None,
        )

    def life(self) -> Life:
        """Whether the process that measures still runs."""
        return self._follower.life()

    def _with(self, news: Followed) -> SoFar:
        self._samples += [{**sample, **sample_figures(sample)} for sample in news.samples]
        levels = {level["level_id"]: level for level in news.levels}
        for level_id, requests in news.requests.items():
            found = request_points(requests, levels[level_id])
            known = self._points.get(level_id)
            self._points[level_id] = found if known is None else known.followed_by(found)
        return SoFar(
            run=news.run,
            conditions=news.conditions,
            steps=news.steps,
            levels=news.levels,
            samples=self._samples,
            points=self._points,
        )


@dataclass(frozen=True, kw_only=True)
class Remaining:
    """What a run still has to do, as far as it is planned.

    A step that is still to come counts for what the last one like it took: in a comparison a
    visit to the same stack, in a load the same level of another stack. What was never done
    counts as the others on average.
    """

    pace: Pace
    stops: tuple[str, ...]
    """What each step is like; the first is under way, unless `began_ns` is None."""
    own_s: float | None
    """What that one will still take by its own requests; None before the first has ended."""
    began_ns: int | None

    def left_s(self, now: int) -> float | None:
        """Seconds left at `now`; None while no step is over, unless it is the only one."""
        if not self.stops:
            return 0.0
        spent = 0.0 if self.began_ns is None else (now - self.began_ns) / NS_PER_S
        found = left_s(self.pace, self.stops, spent=spent, by_part=self.own_s or 0.0)
        if found is None and len(self.stops) == 1:
            return self.own_s
        return found


def remaining(so_far: SoFar) -> Remaining:
    """What is still to be done."""
    key = "number" if so_far.is_load else "stack"
    pace = Pace()
    for step in so_far.steps:
        if step["expected_s"] is not None:
            pace.note(str(step[key]), step["expected_s"])
    over = [step for step in so_far.steps if step["began_ns"] and step["ended_ns"]]
    for step in sorted(over, key=lambda step: int(step["ended_ns"])):
        pace.note(str(step[key]), (step["ended_ns"] - step["began_ns"]) / NS_PER_S)
    current, ended = so_far.current, so_far.ended
    to_come = [
        step for step in so_far.steps if step["began_ns"] is None and step["stack"] not in ended
    ]
    stops = to_come if current is None else [current, *to_come]
    return Remaining(
        pace=pace,
        stops=tuple(str(step[key]) for step in stops),
        own_s=None if current is None else _own_s(so_far, current),
        began_ns=None if current is None else current["began_ns"],
    )


def _own_s(so_far: SoFar, step: Mapping[str, Any]) -> float | None:
    """Seconds that a step will still take at the pace of its own requests.

    From the first of them on, so that loading is not counted for each.
    """
    if step["requests"] is None:
        return None
    done, spent_ns = (_of_level if so_far.is_load else _of_visit)(so_far, step)
    if not done:
        return None
    left = max(0, int(step["requests"]) - done)
    return spent_ns / done * left / NS_PER_S


def _of_visit(so_far: SoFar, step: Mapping[str, Any]) -> tuple[int, int]:
    """Answered requests of a visit, and nanoseconds from the first to the end of the last."""
    answered = [each for each in so_far.samples_of(step) if each["ended_ns"]]
    if not answered:
        return 0, 0
    return len(answered), answered[-1]["ended_ns"] - answered[0]["requested_ns"]


def _of_level(so_far: SoFar, step: Mapping[str, Any]) -> tuple[int, int]:
    """The same of a level."""
    level = so_far.level_of(step)
    points = None if level is None else so_far.points.get(level["level_id"])
    if points is None or not len(points):
        return 0, 0
    return len(points), points.span_ns


def runs_going_on(store: Store) -> list[int]:
    """Runs whose process still runs, or may, newest first."""
    return [run for run in unfinished_runs(store) if life_of(store, run) is not Life.GONE]
