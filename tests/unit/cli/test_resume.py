"""`polystack resume` as a user types it, on mocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_runner.common.process_mark import ProcessMark
from python_runner.engines import mock
from python_runner.engines.contract import GenerateRequest, Generation
from python_runner.store import Store, read_frames
from tests.unit.cli.conftest import Outcome, Polystack

STACKS = ("mock-cpp", "mock-go")


@pytest.fixture
def interrupted(polystack: Polystack, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """A run of two mocks that Ctrl-C ended in its first block, after nine requests."""
    answer = mock.MockModel.generate
    calls = 0

    def once(model: mock.MockModel, request: GenerateRequest) -> Generation:
        nonlocal calls
        calls += 1
        if calls == len(STACKS) + 10:
            raise KeyboardInterrupt
        return answer(model, request)

    monkeypatch.setattr(mock.MockModel, "generate", once)
    return polystack("compare", "demo", "--stacks", ",".join(STACKS), "--iterations", "4")


def change(results: Path, statement: str, *values: object) -> None:
    with Store(results / "polystack.sqlite") as store, store.transaction() as connection:
        connection.execute(statement, values)


def test_the_way_on_is_told_and_goes_to_the_end(
    polystack: Polystack, results: Path, interrupted: Outcome
) -> None:
    assert interrupted.code == 130
    assert "polystack resume 1" in interrupted.out
    listed = polystack("runs")
    assert "can go on" in listed.out
    assert "polystack resume 1" in listed.out

    outcome = polystack("resume", "1")
    assert outcome.code == 0, outcome.err
    assert "Measured in 2 parts" in " ".join(outcome.out.split())
    with Store(results / "polystack.sqlite") as store:
        frames = read_frames(store)
    assert list(frames.runs["status"]) == ["complete"]
    timed = frames.samples[~frames.samples["is_warmup"]]
    for stack in STACKS:
        assert sorted(timed.loc[timed["stack"] == stack, "iteration"]) == [1, 2, 3, 4]
    assert "can go on" not in polystack("runs").out

    again = polystack("resume", "1")
    assert again.code == 0
    assert "Run 1 is complete: nothing is left to do" in again.out


def test_a_run_that_is_going_on_is_refused(
    polystack: Polystack, results: Path, interrupted: Outcome
) -> None:
    mark = ProcessMark.of_this_process().to_json()
    change(results, "UPDATE runs SET status = 'running', process_json = ?", mark)
    outcome = polystack("resume", "1")
    assert outcome.code == 2
    assert "still being measured" in outcome.err
    assert "polystack watch 1" in outcome.err


def test_one_of_another_container_goes_on_when_the_user_knows(
    polystack: Polystack, results: Path, interrupted: Outcome
) -> None:
    change(results, "UPDATE runs SET status = 'running', process_json = NULL")
    outcome = polystack("resume", "1")
    assert outcome.code == 2
    assert "--has-ended" in outcome.err
    assert polystack("resume", "1", "--has-ended").code == 0


def test_another_machine_is_refused_with_the_key(
    polystack: Polystack, results: Path, interrupted: Outcome
) -> None:
    change(results, "UPDATE runs SET host_json = json_set(host_json, '$.cpu', 'Abacus')")
    outcome = polystack("resume", "1")
    assert outcome.code == 6
    assert "cpu was Abacus" in outcome.err


def test_a_stack_that_had_ended_is_named_with_what_to_type(
    polystack: Polystack, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = mock.GO
    monkeypatch.setattr(mock, "GO", mock.MockEngine(whole.spec, mock.MockScript(crash_at=3)))
    names = ",".join(STACKS)
    assert polystack("compare", "demo", "--stacks", names, "--iterations", "2").code == 5
    told = polystack("resume", "1")
    assert told.code == 0
    assert "polystack resume 1 --again" in told.out

    monkeypatch.setattr(mock, "GO", whole)
    outcome = polystack("resume", "1", "--again")
    assert outcome.code == 0, outcome.out
    assert "Tried again after an error" in " ".join(outcome.out.split())


def test_an_unknown_run_is_a_usage_error(polystack: Polystack, interrupted: Outcome) -> None:
    assert polystack("resume", "7").code == 2
