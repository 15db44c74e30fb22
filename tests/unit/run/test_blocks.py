"""A study in blocks: who is visited when, who is not visited again, and what is kept."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines import mock
from python_runner.engines.contract import LaunchSettings
from python_runner.engines.mock import MockEngine, MockModel, MockScript
from python_runner.measure import NoiseReading
from python_runner.run import building
from python_runner.run.compare import Comparison, compare
from python_runner.store import Frames, Store, read_frames
from tests.unit.builders import study

STACKS = ("mock-cpp", "mock-go", "mock-rust")


class CountingProbe:
    """Each reading is one nanosecond longer than the one before."""

    def __init__(self) -> None:
        self.readings = 0

    def read(self) -> NoiseReading:
        self.readings += 1
        return NoiseReading(compute_ns=self.readings, memory_ns=2 * self.readings)


class Logged(MockEngine):
    """Notes each start, and may die at one of them."""

    def __init__(self, like: MockEngine, starts: list[str], *, dies_at: int = 0) -> None:
        super().__init__(like.spec, MockScript())
        self._starts = starts
        self._dies_at = dies_at

    def prepare(self, progress: Progress) -> None:
        self._starts.append(f"build {self.spec.name}")

    def start(self, settings: LaunchSettings, log: Path) -> MockModel:
        self._starts.append(self.spec.name)
        number = self._starts.count(self.spec.name)
        script = MockScript(load_seconds=float(number), crash_at_start=number == self._dies_at)
        return MockEngine(self.spec, script).start(settings, log)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "polystack.sqlite") as opened:
        yield opened


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was built and started, in order of time."""
    found: list[str] = []
    for name in ("CPP", "GO", "RUST"):
        monkeypatch.setattr(mock, name, Logged(getattr(mock, name), found))
    return found


def run(store: Store, **changes: object) -> tuple[Comparison, Frames]:
    outcome = compare(
        study(**{"stacks": STACKS, "iterations": 4, "blocks": 2, "warmup": 2, **changes}),
        store,
        logs=store.path.parent,
        progress=SilentProgress(),
        probe=CountingProbe(),
    )
    return outcome, read_frames(store)


def timed(frames: Frames, stack: str) -> pd.DataFrame:
    mine = frames.samples[frames.samples["stack"] == stack]
    return mine[~mine["is_warmup"]]


def visited(starts: list[str]) -> list[str]:
    """All starts; the first of each stack is the look at it before anything is timed."""
    return [name for name in starts if not name.startswith("build")]


def test_every_second_block_runs_in_the_mirrored_order(store: Store, starts: list[str]) -> None:
    run(store)
    assert visited(starts) == [*STACKS, *STACKS, *reversed(STACKS)]


def test_a_stack_is_one_condition_whose_iterations_go_on(store: Store, starts: list[str]) -> None:
    outcome, frames = run(store)
    assert not outcome.broken
    assert len(frames.conditions) == len(STACKS)
    for stack in STACKS:
        assert list(timed(frames, stack)["iteration"]) == [1, 2, 3, 4]
        assert list(timed(frames, stack)["block"]) == [1, 1, 2, 2]
    warm_up = frames.samples[frames.samples["is_warmup"]].groupby("stack")["block"]
    assert {tuple(blocks) for _, blocks in warm_up} == {(1, 1, 2)}


def test_all_loads_are_kept_and_their_median_shown(store: Store, starts: list[str]) -> None:
    _, frames = run(store, iterations=3, blocks=3)
    for row in frames.conditions.to_dict(orient="records"):
        assert row["loads"] == [2.0, 3.0, 4.0]
        assert row["load_seconds"] == 3.0


def test_the_same_iteration_has_the_same_prompt_for_all(store: Store, starts: list[str]) -> None:
    _, frames = run(store)
    asked = frames.samples.groupby(["is_warmup", "iteration"])["prompt_text"].nunique()
    assert set(asked) == {1}


def test_the_machine_is_looked_at_before_each_request(store: Store, starts: list[str]) -> None:
    _, frames = run(store)
    assert list(frames.samples["probe_compute_ns"]) == list(range(1, len(frames.samples) + 1))
    assert (frames.samples["probe_memory_ns"] == 2 * frames.samples["probe_compute_ns"]).all()


def test_what_died_is_not_started_again_and_keeps_its_samples(
    store: Store, starts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mock, "GO", Logged(mock.GO, starts, dies_at=3))
    outcome, frames = run(store, iterations=6, blocks=3)
    assert set(outcome.broken) == {"mock-go"}
    assert visited(starts).count("mock-go") == 3
    assert visited(starts).count("mock-cpp") == 4
    assert len(timed(frames, "mock-go")) == 2
    error = frames.conditions.set_index("stack").loc["mock-go", "error"]
    assert "never became ready" in str(error)


def test_failures_in_a_row_are_counted_over_visits(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = MockEngine(mock.GO.spec, MockScript(fail_at=frozenset({1})))
    monkeypatch.setattr(mock, "GO", failing)
    outcome, frames = run(store, iterations=5, blocks=5, warmup=0)
    assert "3 requests in a row failed" in outcome.broken["mock-go"]
    assert len(timed(frames, "mock-go")) == 3
    assert len(timed(frames, "mock-cpp")) == 5


def test_a_long_build_waits_until_there_is_a_first_figure(
    store: Store, starts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_is_long", lambda each: each.spec.name == "mock-go")
    parts: list[list[str]] = []
    compare(
        study(stacks=STACKS, iterations=4, blocks=2, warmup=0),
        store,
        logs=store.path.parent,
        progress=SilentProgress(),
        on_part=lambda _: parts.append(visited(starts)),
    )
    assert parts == [["mock-cpp", "mock-rust"] * 2]
    assert starts.index("build mock-go") > starts.index("mock-rust")
    frames = read_frames(store)
    assert dict(timed(frames, "mock-cpp").groupby("block").size()) == {1: 2, 2: 2}
    # Its first two iterations are made up for, in a block that it shares with nobody.
    assert dict(timed(frames, "mock-go").groupby("block").size()) == {2: 2, 3: 2}
    assert sorted(timed(frames, "mock-go")["iteration"]) == [1, 2, 3, 4]


def test_more_blocks_than_iterations_are_as_many(store: Store, starts: list[str]) -> None:
    _, frames = run(store, iterations=2, blocks=5)
    assert frames.samples["block"].max() == 2
