"""The wall clock goes where it likes."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import pytest

from python_runner.analyse.latency import request_metrics
from python_runner.analyse.summary import summarise
from python_runner.common.clock import NS_PER_S
from python_runner.store import Store, open_run
from tests.faults.fault import fault
from tests.faults.time.measuring import Meddled, facts, measured, plan, slow_engine
from tests.faults.time.test_suspended import Sleepy, mock_engine

_STAMPS = ["run_id", "condition_id", "sample_id", "resources"]


class Backwards:
    """A wall clock that is set back by a day whenever somebody looks at it."""

    def __init__(self) -> None:
        self.now_s = time.time()

    def time(self) -> float:
        self.now_s -= 86_400
        return self.now_s

    def time_ns(self) -> int:
        return round(self.time() * NS_PER_S)

    def date(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(self.time()))


@fault(
    "The wall clock is set back during a run",
    injected="a wall clock that goes back a day whenever it is read, in a run of mocks",
    seen="that it was set, by how much and when; every figure is as with a steady clock",
    kept="all requests; runs are listed by number, not by date",
)
def test_no_figure_depends_on_the_wall_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "polystack.sqlite"
    steady = measured(mock_engine(), path, plan(4))
    clock = Backwards()
    monkeypatch.setattr(time, "time", clock.time)
    monkeypatch.setattr(time, "time_ns", clock.time_ns)
    monkeypatch.setattr(open_run, "utc_date", clock.date)
    wild = measured(mock_engine(), path, plan(4))
    monkeypatch.undo()
    before, after = (
        request_metrics(frames.samples).drop(columns=[*_STAMPS, "wall_jump_ns"])
        for frames in (steady, wild)
    )
    pd.testing.assert_frame_equal(before, after)
    assert not steady.samples["wall_jump_ns"].any()
    assert (wild.samples["wall_jump_ns"] < 0).all()
    assert wild.runs["created"].item() < steady.runs["created"].item()
    with Store(path) as store:
        assert list(store.run_ids()) == [1, 2]
    assert sum("wall clock was set back by" in note for note in facts(wild).notes) == 4


@fault(
    "The wall clock is set back by an hour in the middle of an answer",
    injected="clocks that jump within the second request to a worker process",
    seen="a note: which request, and that no figure depends on it",
    kept="all requests, with all their figures",
)
def test_a_jump_is_noted_and_does_no_harm(tmp_path: Path) -> None:
    clocks = Sleepy()

    def set_back(_running: object) -> None:
        clocks.set_ns -= 3600 * NS_PER_S

    meddled = Meddled(slow_engine(), {2: set_back})
    frames = measured(meddled, tmp_path / "polystack.sqlite", plan(3, tokens=3), clocks=clocks)
    jumps = frames.samples["wall_jump_ns"] / NS_PER_S
    assert [round(each) for each in jumps] == [0, -3600, 0]
    summary = summarise(frames.samples, frames.conditions).iloc[0]
    assert (summary["n"], summary["n_suspended"]) == (3, 0)
    (note,) = (each for each in facts(frames).notes if "wall clock" in each)
    assert "set back by 3,600.0 s during iteration 2 of mock Python" in note
