"""Going on until intervals are narrow: how long, and what is kept of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from python_runner.common.clock import NS_PER_MS
from python_runner.common.progress import SilentProgress
from python_runner.engines import mock
from python_runner.engines.contract import LaunchSettings
from python_runner.engines.mock import MockEngine, MockModel, MockScript
from python_runner.run.compare import compare
from python_runner.run.pace import Pace
from python_runner.store import Frames, Store, read_frames
from tests.unit.builders import study

STACKS = ("mock-cpp", "mock-go")


class Told(SilentProgress):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


class Wavering(MockEngine):
    """Slow by turns, so that its blocks differ."""

    def __init__(self, like: MockEngine, *, by_ms: int, dies_at: int = 0) -> None:
        super().__init__(like.spec, MockScript())
        self._by_ns = by_ms * NS_PER_MS
        self._dies_at = dies_at
        self._starts = 0

    def start(self, settings: LaunchSettings, log: Path) -> MockModel:
        self._starts += 1
        ttft_ns = 100 * NS_PER_MS + self._starts % 3 * self._by_ns
        dies = self._starts == self._dies_at
        script = MockScript(ttft_ns=ttft_ns, crash_at_start=dies)
        return MockEngine(self.spec, script).start(settings, log)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "polystack.sqlite") as opened:
        yield opened


def run(store: Store, **changes: object) -> tuple[list[str], Frames]:
    told = Told()
    values = {"stacks": STACKS, "iterations": 6, "blocks": 3, "warmup": 1, "until_ci": "2%"}
    compare(
        study(**{**values, **changes}), store, logs=store.path.parent, progress=told, probe=None
    )
    return told.lines, read_frames(store)


def waver(monkeypatch: pytest.MonkeyPatch, *, by_ms: int, dies_at: int = 0) -> None:
    monkeypatch.setattr(mock, "GO", Wavering(mock.GO, by_ms=by_ms, dies_at=dies_at))


def test_narrow_intervals_need_one_look(store: Store) -> None:
    told, frames = run(store, until_ci="50%")
    assert frames.runs["looks"][0] == {"at": [6], "limit": 24}
    assert "After 6 iterations all intervals are within ±50%." in told
    assert frames.samples["iteration"].max() == 6


def test_wide_intervals_go_on_to_the_limit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    waver(monkeypatch, by_ms=60)
    told, frames = run(store, max_iterations=16)
    assert frames.runs["looks"][0] == {"at": [6, 12, 16], "limit": 16}
    assert "The limit of 16 iterations is reached." in told[-1]
    timed = frames.samples[~frames.samples["is_warmup"]]
    for _, mine in timed.groupby("stack"):
        assert list(mine["iteration"]) == list(range(1, 17))
        assert list(mine["block"].drop_duplicates()) == list(range(1, 10))


def test_it_stops_when_they_are_narrow_enough(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    waver(monkeypatch, by_ms=30)
    told, frames = run(store, until_ci="8%", max_iterations=60)
    at = frames.runs["looks"][0]["at"]
    assert 1 < len(at) < 10
    assert f"After {at[-1]} iterations all intervals are within ±8%." in told
    assert frames.samples["iteration"].max() == at[-1]


def test_a_stack_that_died_is_not_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    waver(monkeypatch, by_ms=60, dies_at=5)
    told, frames = run(store, max_iterations=60)
    assert frames.runs["looks"][0]["at"] == [6, 12]
    assert told[-1] == "There are no two stacks left to compare."


def test_the_time_limit_ends_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    waver(monkeypatch, by_ms=60)
    monkeypatch.setattr(Pace, "expected_s", lambda *_: 100.0)
    told, frames = run(store, max_time="9min")
    assert frames.runs["looks"][0]["at"] == [6]
    assert "would last longer than 9min" in told[-1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"until_ci": "2"}, "'2' is no share"),
        ({"until_ci": "0%"}, "'0%' is no share"),
        ({"until_ci": "2%", "max_iterations": 5}, "fewer than `iterations`"),
        ({"max_iterations": 50}, "limit of `until_ci`"),
        ({"max_time": "2h"}, "limit of `until_ci`"),
        ({"until_ci": "2%", "max_time": "long"}, "is no duration"),
        ({"until_ci": "2%", "stacks": ("mock-cpp",)}, "take two stacks"),
    ],
)
def test_what_a_study_cannot_ask(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        study(**{"stacks": STACKS, **wrong})
