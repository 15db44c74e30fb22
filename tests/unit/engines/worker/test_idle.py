"""When an engine counts as one that hangs."""

from __future__ import annotations

import pytest

from python_runner.common.clock import NS_PER_S
from python_runner.engines.worker.idle import IdleWatch, StalledError


class Engine:
    """CPU time and a clock that the test turns."""

    def __init__(self, limit_s: float = 120.0) -> None:
        self.own_s = self.below_s = 0.0
        self.now_s = 0.0
        self.watch = IdleWatch(
            1,
            limit_s,
            own_s=lambda _pid: self.own_s,
            below_s=lambda _pid: self.below_s,
            clock_ns=lambda: int(self.now_s * NS_PER_S),
        )

    def runs(self, seconds: float, *, own: float = 0.0, below: float = 0.0) -> None:
        """So long, with these shares of a core."""
        step = self.watch.every_s
        end = self.now_s + seconds
        while self.now_s < end:
            self.now_s += step
            self.own_s += own * step
            self.below_s += below * step
            self.watch.look()


def test_one_that_sleeps_for_too_long_hangs() -> None:
    engine = Engine()
    engine.runs(100.0)
    with pytest.raises(StalledError):
        engine.runs(100.0)
    assert engine.now_s < 180


def test_one_that_computes_does_not_hang_however_slow() -> None:
    Engine().runs(5000.0, own=1.0)
    Engine().runs(5000.0, own=0.05)


def test_one_whose_children_compute_does_not_hang() -> None:
    Engine().runs(5000.0, below=2.0)


def test_one_that_only_looks_around_hangs() -> None:
    with pytest.raises(StalledError):
        Engine().runs(5000.0, own=0.001)


def test_a_pause_in_its_work_is_forgiven() -> None:
    engine = Engine()
    for _ in range(10):
        engine.runs(100.0)
        engine.runs(30.0, own=1.0)


def test_time_in_which_nobody_looked_says_little() -> None:
    engine = Engine()
    engine.runs(60.0)
    engine.now_s += 3600.0  # all of us were stopped
    engine.watch.look()
    engine.runs(10.0)


def test_a_short_limit_is_looked_at_often() -> None:
    engine = Engine(limit_s=0.4)
    assert engine.watch.every_s == pytest.approx(0.05)
    with pytest.raises(StalledError):
        engine.runs(1.0)
