"""Ctrl-C and broken stacks: what is finished is kept, and the exit code says what happened."""

from pathlib import Path

import pytest

from python_runner.engines import mock
from python_runner.engines.contract import GenerateRequest, Generation
from python_runner.store import Store, read_frames
from tests.unit.cli.conftest import Polystack


def test_ctrl_c_keeps_the_finished_samples(
    polystack: Polystack, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = mock.MockModel.generate
    calls = 0

    def interrupted(model: mock.MockModel, request: GenerateRequest) -> Generation:
        nonlocal calls
        calls += 1
        if calls == 9:
            raise KeyboardInterrupt
        return answer(model, request)

    monkeypatch.setattr(mock.MockModel, "generate", interrupted)
    outcome = polystack("compare", "demo", "--stacks", "mock-cpp,mock-go", "--iterations", "4")
    assert outcome.code == 130
    assert "polystack show 1" in outcome.out
    with Store(results / "polystack.sqlite") as store:
        frames = read_frames(store)
    assert len(frames.samples) == 8
    assert list(frames.runs["status"]) == ["interrupted"]
    assert polystack("show", "1").code == 0
    assert polystack("plot", "1").code == 0


def test_one_broken_stack_does_not_cost_the_others(
    polystack: Polystack, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = mock.MockEngine(mock.GO.spec, mock.MockScript(crash_at=4))
    monkeypatch.setattr(mock, "GO", broken)
    outcome = polystack("compare", "demo", "--stacks", "mock-go,mock-cpp", "--iterations", "4")
    assert outcome.code == 5
    assert "SIGILL" in outcome.out
    with Store(results / "polystack.sqlite") as store:
        frames = read_frames(store)
    assert len(frames.samples) == 4 + (2 + 2 + 1 + 2)
    assert len(list((results / "run-0001").glob("*.png"))) == 6


def test_stacks_that_all_fail_still_leave_a_report(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        mock, "CPP", mock.MockEngine(mock.CPP.spec, mock.MockScript(crash_at_start=True))
    )
    outcome = polystack("compare", "demo", "--stacks", "mock-cpp", "--iterations", "2")
    assert outcome.code == 5
    assert "never became ready" in outcome.out
