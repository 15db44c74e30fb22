"""Follow a run that goes on, from its own process or from another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd

from python_runner.analyse.latency import request_metrics
from python_runner.analyse.live import request_points
from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.common.process_mark import Life
from python_runner.report.live_data import LiveClock, LiveRun, SoFar, live_run
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
        self._so_far: SoFar | None = None
        self._began_ns = 0
        self._points: dict[int, pd.DataFrame] = {}
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
            self._so_far = self._with(news)
            self._began_ns = int(news.run["began_ns"] or 0)
            self._remaining = remaining(self._so_far)
            self._run = live_run(self._so_far)
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
        measured = request_metrics(news.samples)
        if self._so_far is not None:
            before = self._so_far.measured
            measured = pd.concat([before, measured]) if len(measured) else before
        if len(news.requests):
            found = request_points(news.requests, news.levels)
            for level, mine in found.groupby("level_id"):
                known = self._points.get(int(str(level)))
                self._points[int(str(level))] = mine if known is None else pd.concat([known, mine])
        return SoFar(
            run=news.run,
            conditions=news.conditions,
            steps=news.steps,
            levels=news.levels,
            measured=measured,
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
    began_ns: float | None

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
    steps = so_far.steps
    for step in steps[steps["expected_s"].notna()].to_dict(orient="records"):
        pace.note(str(step[key]), step["expected_s"])
    over = steps[steps["began_ns"].notna() & steps["ended_ns"].notna()]
    for step in over.sort_values("ended_ns").to_dict(orient="records"):
        pace.note(str(step[key]), (step["ended_ns"] - step["began_ns"]) / NS_PER_S)
    current = so_far.current
    is_next = steps["began_ns"].isna() & ~steps["stack"].isin(so_far.ended)
    return Remaining(
        pace=pace,
        stops=tuple(
            str(value) for value in [*([current[key]] if current else []), *steps.loc[is_next, key]]
        ),
        own_s=_own_s(so_far, current) if current else None,
        began_ns=current["began_ns"] if current else None,
    )


def _own_s(so_far: SoFar, step: Mapping[Any, Any]) -> float | None:
    """Seconds that a step will still take at the pace of its own requests.

    From the first of them on, so that loading is not counted for each.
    """
    if pd.isna(step["requests"]):
        return None
    found = _of_level(so_far, step) if so_far.is_load else _of_visit(so_far, step)
    if found.empty:
        return None
    began, ended = found["began_ns"].min(), found["ended_ns"].max()
    left = max(0.0, step["requests"] - len(found))
    return float((ended - began) / len(found) * left / NS_PER_S)


def _of_visit(so_far: SoFar, step: Mapping[Any, Any]) -> pd.DataFrame:
    """The answered requests of a visit: began_ns, ended_ns."""
    measured = so_far.measured
    is_its = (measured["stack"] == step["stack"]) & (measured["block"] == step["number"])
    answered = measured[is_its & (measured["ended_ns"] > 0)]
    return answered[["requested_ns", "ended_ns"]].rename(columns={"requested_ns": "began_ns"})


def _of_level(so_far: SoFar, step: Mapping[Any, Any]) -> pd.DataFrame:
    """The requests of a level that are over: began_ns, ended_ns."""
    levels = so_far.levels
    is_its = (levels["stack"] == step["stack"]) & (levels["number"] == step["number"])
    for level in levels.loc[is_its, "level_id"]:
        if level in so_far.points:
            points = so_far.points[level]
            return points[["due_ns", "ended_ns"]].rename(columns={"due_ns": "began_ns"})
    return pd.DataFrame(columns=["began_ns", "ended_ns"])


def runs_going_on(store: Store) -> list[int]:
    """Runs whose process still runs, or may, newest first."""
    return [run for run in unfinished_runs(store) if life_of(store, run) is not Life.GONE]
