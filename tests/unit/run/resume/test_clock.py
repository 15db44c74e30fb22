"""A machine that was started anew has a clock that began anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from python_runner.analyse.tables import comparison_tables
from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.common.process_mark import ProcessMark
from python_runner.store import Store, read_frames
from tests.unit.run.resume.test_comparison import LOOKS, Interruption, cut, go_on

LATER_S = 10**6


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "polystack.sqlite") as opened:
        yield opened


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> Interruption:
    return Interruption(monkeypatch)


def as_before_a_reboot(store: Store) -> None:
    """The run as one of another start of this machine, whose clock was far ahead of today's."""
    mark = json.loads(ProcessMark.of_this_process().to_json())
    with store.transaction() as connection:
        connection.execute(
            "UPDATE runs SET status = 'running', process_json = ?, began_ns = ?",
            (json.dumps({**mark, "boot": "another"}), now_ns() + LATER_S * NS_PER_S),
        )


def test_later_parts_come_after_earlier_ones(store: Store, ctrl_c: Interruption) -> None:
    cut(store, ctrl_c, LOOKS + 5)
    before = len(read_frames(store).samples)
    as_before_a_reboot(store)
    _, frames = go_on(store)
    shifts = frames.samples["clock_shift_ns"] / NS_PER_S
    assert set(shifts[:before]) == {0.0}
    assert all(abs(shift - LATER_S) < 60 for shift in shifts[before:])
    started = comparison_tables()["requests"](frames)["started_s"]
    assert started[before:].min() > started[:before].max()
    (resumed,) = frames.runs["resumed"][0]
    assert resumed["was"] == "running"


def test_within_one_start_of_the_machine_nothing_is_shifted(
    store: Store, ctrl_c: Interruption
) -> None:
    cut(store, ctrl_c, LOOKS + 5)
    _, frames = go_on(store)
    assert set(frames.samples["clock_shift_ns"]) == {0.0}
    assert "clock_shift_ns" not in comparison_tables()["requests"](frames)
