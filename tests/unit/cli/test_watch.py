"""`polystack watch` where nothing goes on any more."""

from pathlib import Path

import pytest

from python_runner.engines import mock
from python_runner.store import RunRecorder, Store
from tests.unit.builders import condition, generation, sample, study
from tests.unit.cli.conftest import Polystack

BRIEF = ("compare", "demo", "--stacks", "mock-cpp,mock-go", "--iterations", "2")


def test_no_run_is_going_on(polystack: Polystack, results: Path) -> None:
    assert polystack("watch").code == 7
    assert polystack(*BRIEF).code == 0
    outcome = polystack("watch")
    assert outcome.code == 2
    assert "no run is going on" in outcome.err
    assert "polystack compare" in outcome.err
    assert "polystack show 1" in outcome.err


def test_a_run_that_is_over_is_shown(polystack: Polystack) -> None:
    assert polystack(*BRIEF).code == 0
    outcome = polystack("watch", "latest")
    assert outcome.code == 0
    assert "E2E latency" in outcome.out
    assert polystack("watch", "7").code == 2


def test_the_exit_code_is_that_of_the_run(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = mock.MockEngine(mock.GO.spec, mock.MockScript(crash_at=3))
    monkeypatch.setattr(mock, "GO", broken)
    assert polystack(*BRIEF).code == 5
    assert polystack("watch", "1").code == 5


def test_a_run_whose_process_is_gone(polystack: Polystack, results: Path) -> None:
    with Store(results / "polystack.sqlite") as store:
        recorder = RunRecorder(store, study(), {"cpu": "test"})
        recorder.begin(condition())
        recorder.record(sample(1, generation()))
        with store.transaction() as connection:
            connection.execute("UPDATE runs SET process_json = json_set(process_json, '$.pid', 1)")
    outcome = polystack("watch", "1")
    assert outcome.code == 1
    assert "is marked as running" in outcome.out
    assert "the process that measured it is gone" in outcome.err
    assert "polystack show 1" in outcome.err
    outcome = polystack("watch")
    assert outcome.code == 2
    assert "Run 1 is marked as running, and its process is gone" in outcome.err
