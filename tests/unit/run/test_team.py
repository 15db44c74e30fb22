"""Which runs a decision takes, and which do not belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from python_runner.analyse.decision import COLUMNS
from python_runner.common.errors import UsageError
from python_runner.report.decision.data import decision_data
from python_runner.run.team import decide_by_runs
from python_runner.store import Frames, LoadRunRecorder, RunRecorder, Store
from tests.unit.analyse.decision.builders import team
from tests.unit.builders import condition, generation, sample, settings, spec, study
from tests.unit.load_builders import FakeRequest, closed, finished, level_end

HERE = {"cpu": "this one"}


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(Path(":memory:")) as opened:
        yield opened


def compare(
    store: Store, *stacks: str, host: dict[str, object] | None = None, model: str = ""
) -> int:
    with RunRecorder(store, study(), HERE if host is None else host) as recorder:
        for name in stacks:
            of = (
                settings()
                if not model
                else replace(settings(), model=replace(settings().model, name=model))
            )
            recorder.begin(
                replace(condition(), engine=replace(spec(), name=name, title=name), settings=of)
            )
            for number in range(1, 8):
                recorder.record(sample(number, generation()))
            recorder.finish(peak_memory_bytes=10**9, error="")
    return store.run_ids()[-1]


def load(store: Store, name: str, host: dict[str, object] | None = None) -> int:
    with LoadRunRecorder(store, study(), HERE if host is None else host) as recorder:
        recorder.begin(replace(condition(), engine=replace(spec(), name=name, title=name)))
        recorder.begin_level(closed(users=3), None)
        recorder.record(finished([FakeRequest(sent=0, chunks=[10, 20])]))
        recorder.end_level(level_end())
        recorder.finish(peak_memory_bytes=5, error="")
    return store.run_ids()[-1]


def runs_of(frames: Frames) -> list[int]:
    return [int(run) for run in frames.runs["run_id"]]


def test_the_latest_comparison_and_the_latest_load_of_each_stack_are_taken(store: Store) -> None:
    compare(store, "mock-go", "mock-cpp")
    load(store, "mock-go")
    late = load(store, "mock-go")
    load(store, "mock-cpp", host={"cpu": "another"})
    load(store, "some.host:80")
    latest = compare(store, "mock-go", "mock-cpp")
    decided = decide_by_runs(team(), store)
    assert runs_of(decided.frames) == [late, latest]
    data = decision_data(decided.decision, decided.frames)
    assert "closed loop" in data.runs[0].conditions
    assert "timed iterations" in data.runs[1].conditions
    assert {one.stack.name for one in decided.decision.ranked} == {"mock-go", "mock-cpp"}
    assert all(one.parts["e2e"].utility.is_known for one in decided.decision.ranked)


def test_measured_upkeep_is_asked_for_our_engines(store: Store) -> None:
    compare(store, "mock-go")
    asked: list[Sequence[str]] = []

    def upkeep(_frames: Frames, stacks: Sequence[str]) -> pd.DataFrame:
        asked.append(stacks)
        row = ("mock-go", "Mock", "Go", "served", "dependencies", 40.0, "packages")
        return pd.DataFrame(
            [(*row, float("nan"), float("nan"), "go.mod", float("nan"), "")], columns=list(COLUMNS)
        )

    decided = decide_by_runs(team(), store, upkeep=upkeep)
    assert asked == [["mock-go"]]
    figure = decided.decision.ranked[0].parts["dependencies"].figure
    assert (figure.value, figure.source, figure.run_id) == (40, "go.mod", None)


@pytest.mark.parametrize(
    ("host", "model", "told"), [({"cpu": "another"}, "", "machine"), (HERE, "other", "model")]
)
def test_runs_that_do_not_belong_together_are_not_pooled(
    store: Store, host: dict[str, object], model: str, told: str
) -> None:
    first = compare(store, "mock-go")
    second = compare(store, "mock-cpp", host=host, model=model)
    with pytest.raises(UsageError, match=f"differ in {told}"):
        decide_by_runs(team(), store, [first, second])


def test_without_a_complete_comparison_it_says_what_to_run(store: Store) -> None:
    load(store, "mock-go")
    with pytest.raises(UsageError) as caught:
        decide_by_runs(team(), store)
    assert "polystack compare" in caught.value.hint
