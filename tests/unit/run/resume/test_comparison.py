"""An interrupted comparison goes on: nothing is made twice, nothing is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from python_runner.common.errors import UnfairError, UsageError
from python_runner.common.progress import SilentProgress
from python_runner.engines import mock
from python_runner.engines.contract import GenerateRequest, Generation
from python_runner.engines.mock import MockEngine, MockModel, MockScript
from python_runner.run import building
from python_runner.run.compare import Comparison, compare
from python_runner.run.resume import same
from python_runner.run.resume.allowed import can_go_on, resumable_runs
from python_runner.run.resume.comparison import Ways, resume_comparison
from python_runner.store import Frames, Store, read_frames
from python_runner.store.interrupted import StoredRun, read_stored_run
from tests.unit.builders import study

STACKS = ("mock-cpp", "mock-go", "mock-rust")
LOOKS = len(STACKS)
"""Requests of the looks before anything is timed: one of each stack."""
FIRST, AGAIN = 2, 1
"""Warm-up requests of a stack's first visit, and of each later one."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "polystack.sqlite") as opened:
        yield opened


class Interruption:
    """Ctrl-C at one request, counted over all stacks and runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 0
        answer = MockModel.generate

        def one(model: MockModel, request: GenerateRequest) -> Generation:
            self.at -= 1
            if self.at == 0:
                raise KeyboardInterrupt
            return answer(model, request)

        monkeypatch.setattr(MockModel, "generate", one)


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> Interruption:
    return Interruption(monkeypatch)


def begin(store: Store, **changes: object) -> Comparison:
    values = {"stacks": STACKS, "iterations": 4, "blocks": 2, "warmup": FIRST}
    asked = study(**{**values, **changes})
    return compare(asked, store, logs=store.path.parent, progress=SilentProgress())


def cut(store: Store, ctrl_c: Interruption, at: int, **changes: object) -> StoredRun:
    ctrl_c.at = at
    with pytest.raises(KeyboardInterrupt):
        begin(store, **changes)
    return read_stored_run(store, 1)


def go_on(store: Store, *, again: bool = False) -> tuple[Comparison, Frames]:
    ways = Ways(logs=store.path.parent, progress=SilentProgress())
    outcome = resume_comparison(read_stored_run(store, 1), store, ways, again=again)
    return outcome, read_frames(store)


def timed(frames: Frames, stack: str) -> pd.DataFrame:
    mine = frames.samples[frames.samples["stack"] == stack]
    return mine[~mine["is_warmup"]]


def made(frames: Frames) -> dict[str, dict[int, int]]:
    """Of each stack: timed iteration to its block."""
    found = {stack: timed(frames, stack) for stack in STACKS}
    return {
        stack: dict(zip(rows["iteration"], rows["block"], strict=True))
        for stack, rows in found.items()
    }


WHOLE = {stack: {1: 1, 2: 1, 3: 2, 4: 2} for stack in STACKS}
REQUESTS = LOOKS * (1 + FIRST + AGAIN + 4)


@pytest.mark.parametrize("at", range(LOOKS + 1, REQUESTS + 1, 3))
def test_wherever_it_was_cut_the_totals_are_exact(
    store: Store, ctrl_c: Interruption, at: int
) -> None:
    cut(store, ctrl_c, at)
    before = read_frames(store).samples
    assert len(before) == at - LOOKS - 1
    outcome, frames = go_on(store)

    assert outcome.broken == {}
    assert made(frames) == WHOLE
    assert list(frames.runs["status"]) == ["complete"]
    assert len(frames.runs["resumed"][0]) == 1
    kept = frames.samples[frames.samples["sample_id"].isin(before["sample_id"])]
    columns = ["stack", "iteration", "is_warmup", "block", "text", "ended_ns"]
    pd.testing.assert_frame_equal(
        kept[columns].reset_index(drop=True),
        before[columns].reset_index(drop=True),
        check_dtype=False,  # pandas takes no samples at all for another type
    )


def test_a_cut_visit_is_completed_after_a_warm_up_of_its_own(
    store: Store, ctrl_c: Interruption
) -> None:
    cut(store, ctrl_c, LOOKS + FIRST + 2)  # in the second timed iteration of the first stack
    _, frames = go_on(store)
    mine = frames.samples[frames.samples["stack"] == "mock-cpp"]
    order = list(zip(mine["is_warmup"], mine["iteration"], mine["block"], strict=True))
    assert order == [
        *((True, 1, 1), (True, 2, 1), (False, 1, 1)),
        *((True, 3, 1), (True, 4, 1), (False, 2, 1)),
        *((True, 5, 2), (False, 3, 2), (False, 4, 2)),
    ]
    (resumed,) = frames.runs["resumed"][0]
    assert resumed["cut"] == [1]
    assert (resumed["was"], resumed["after_sample"]) == ("interrupted", 3)


def test_it_can_be_cut_again_and_again(store: Store, ctrl_c: Interruption) -> None:
    cut(store, ctrl_c, LOOKS + 2)
    for _ in range(20):
        ctrl_c.at = LOOKS + FIRST + 2  # each part has one timed iteration or two
        try:
            _, frames = go_on(store)
        except KeyboardInterrupt:
            continue
        break
    assert made(frames) == WHOLE
    assert len(frames.runs["resumed"][0]) > 2
    assert list(frames.runs["status"]) == ["complete"]


def test_stacks_that_are_done_are_not_started_again(
    store: Store, ctrl_c: Interruption, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(store, ctrl_c, REQUESTS)  # the last request of all, of the first stack
    for name in ("GO", "RUST"):
        gone = MockEngine(getattr(mock, name).spec, MockScript(crash_at_start=True))
        monkeypatch.setattr(mock, name, gone)
    outcome, frames = go_on(store)
    assert outcome.broken == {}
    assert made(frames) == WHOLE


def test_a_run_whose_last_mark_alone_lacks_needs_no_engine(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(store)
    with store.transaction() as connection:
        connection.execute("UPDATE runs SET status = 'interrupted'")
    monkeypatch.setattr(MockEngine, "start", lambda *_: pytest.fail("an engine was started"))
    outcome, frames = go_on(store)
    assert outcome.broken == {}
    assert list(frames.runs["status"]) == ["complete"]


def test_a_stack_that_had_ended_stays_so_unless_it_is_asked_for(
    store: Store, ctrl_c: Interruption, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = mock.GO
    monkeypatch.setattr(mock, "GO", MockEngine(whole.spec, MockScript(crash_at=1 + FIRST + 1)))
    cut(store, ctrl_c, REQUESTS - 4)
    monkeypatch.setattr(mock, "GO", whole)
    outcome, frames = go_on(store)
    assert outcome.broken.keys() == {"mock-go"}
    assert len(timed(frames, "mock-go")) < 4
    failed = timed(frames, "mock-go")["iteration"].max()

    outcome, frames = go_on(store, again=True)
    assert outcome.broken == {}
    mine = timed(frames, "mock-go")
    assert list(mine["iteration"]) == [1, 2, 3, 4]
    # The failed request stands; what follows is not held against the others, who were long done.
    assert mine["error"].astype(bool).sum() == 1
    late = mine[mine["iteration"] > failed]
    assert set(late["block"]).isdisjoint({1, 2})
    assert "SIGILL" in frames.runs["resumed"][0][-1]["again"]["mock-go"]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (MockScript(build={"flags": "-O0"}), "flags was not known"),
        (MockScript(build={"day": "Monday"}), "build, day was not there"),
    ],
)
def test_another_build_is_refused_by_name(
    store: Store,
    ctrl_c: Interruption,
    monkeypatch: pytest.MonkeyPatch,
    script: MockScript,
    said: str,
) -> None:
    cut(store, ctrl_c, LOOKS + 4)
    monkeypatch.setattr(mock, "CPP", MockEngine(mock.CPP.spec, script))
    before = len(read_frames(store).samples)
    with pytest.raises(UnfairError, match=f"mock-cpp: {said}"):
        go_on(store)
    assert len(read_frames(store).samples) == before
    assert can_go_on(read_stored_run(store, 1))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cpu": "Another 9000"}, "cpu was"),
        ({"cores": 512}, "cores was"),
        ({"memory_bytes": 1}, "memory_bytes was"),
    ],
)
def test_another_machine_is_refused(
    store: Store,
    ctrl_c: Interruption,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, object],
    said: str,
) -> None:
    stored = cut(store, ctrl_c, LOOKS + 4)
    monkeypatch.setattr(same, "describe_host", lambda: {**stored.host, **changes})
    with pytest.raises(UnfairError, match=said):
        go_on(store)
    assert list(read_frames(store).runs["status"]) == ["interrupted"]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE runs SET program_version = '0.0.1'", "polystack was 0.0.1"),
        ("UPDATE conditions SET source_sha256 = 'abc'", "source_sha256"),
        ("UPDATE samples SET prompt_text = 'another'", "the prompt of"),
        ("UPDATE runs SET machine = 'abc'", "another machine"),
    ],
)
def test_what_is_not_as_it_was_is_refused(
    store: Store,
    ctrl_c: Interruption,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
    said: str,
) -> None:
    cut(store, ctrl_c, LOOKS + 4)
    with store.transaction() as connection:
        connection.execute(statement)
    monkeypatch.setattr(same, "machine_mark", lambda: "def")
    with store.transaction() as connection:
        connection.execute("UPDATE runs SET machine = 'def' WHERE machine != 'abc'")
    with pytest.raises(UnfairError, match=said):
        go_on(store)


def test_two_cannot_take_it_up(store: Store, ctrl_c: Interruption) -> None:
    stored = cut(store, ctrl_c, LOOKS + 4)
    go_on(store)
    ways = Ways(logs=store.path.parent, progress=SilentProgress())
    with pytest.raises(UsageError, match="another process"):
        resume_comparison(replace(stored), store, ways)


def test_a_run_that_looks_at_its_intervals_goes_on_with_them(
    store: Store, ctrl_c: Interruption
) -> None:
    asked: dict[str, Any] = {"until_ci": "0.001%", "max_iterations": 8}
    cut(store, ctrl_c, REQUESTS + LOOKS * 2, **asked)  # in the second round
    _, frames = go_on(store)
    assert frames.runs["looks"][0] == {"at": [4, 8], "limit": 8}
    for stack in STACKS:
        mine = timed(frames, stack)
        assert sorted(mine["iteration"]) == list(range(1, 9))
        assert dict(zip(mine["iteration"], mine["block"], strict=True))[8] == 4


@pytest.mark.parametrize("at", [LOOKS + 3, 2 + FIRST * 2 + 4 + 2, REQUESTS - 1])
def test_a_stack_that_is_built_late_keeps_its_block_of_its_own(
    store: Store, ctrl_c: Interruption, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    is_long = {"mock-rust"}
    monkeypatch.setattr(building, "_is_long", lambda engine: engine.spec.name in is_long)
    stored = cut(store, ctrl_c, at)
    assert stored.late == {"mock-rust"}
    is_long.clear()  # it has been built meanwhile
    _, frames = go_on(store)
    found = made(frames)
    assert found["mock-cpp"] == found["mock-go"] == WHOLE["mock-cpp"]
    # Where the others had not finished their first block, it joins them; else it has its own.
    own = 1 if at == LOOKS + 3 else 3
    assert found["mock-rust"] == {1: own, 2: own, 3: 2, 4: 2}


def test_what_can_go_on_is_listed(store: Store, ctrl_c: Interruption) -> None:
    assert resumable_runs(store) == []
    cut(store, ctrl_c, LOOKS + 4)
    assert resumable_runs(store) == [1]
    go_on(store)
    assert resumable_runs(store) == []
