"""A mistake in one of the user's own files of servers costs that server, and no command."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_runner import run
from python_runner.engines import checkup
from python_runner.engines.servers.read import VARIABLE
from python_runner.run import Diagnosis, engine_list
from tests.unit.cli.conftest import Polystack

SAID = "mine.toml: like: there is no server 'nobody' before it"


@pytest.fixture(autouse=True)
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\nlike = "nobody"\n', encoding="utf-8")
    monkeypatch.setenv(VARIABLE, str(path))


def test_a_comparison_of_others_goes_on(polystack: Polystack) -> None:
    outcome = polystack("compare", "demo", "--stacks", "mock-cpp,mock-go", "--iterations", "2")
    assert outcome.code == 0
    assert "mine is left out" in outcome.out
    assert SAID in outcome.out


def test_who_names_it_is_told_why_it_fails(polystack: Polystack, results: Path) -> None:
    outcome = polystack("compare", "demo", "--stacks", "mock-cpp,mine", "--iterations", "2")
    assert outcome.code == 2
    assert SAID in outcome.err
    assert not (results / "polystack.sqlite").exists()


def test_engines_are_listed_without_it(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "engine_names", lambda: ("mock-cpp",))
    assert [line.name for line in engine_list.engine_lines()] == ["mock-cpp"]
    for command in (["engines"], ["engines", "--knobs"]):
        outcome = polystack(*command)
        assert outcome.code == 0
        assert SAID in outcome.out


def test_doctor_shows_a_broken_file(polystack: Polystack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "engine_names", lambda: ())
    findings = tuple(checkup.EnginesCheckup().look())
    monkeypatch.setattr(run, "examine", lambda **_: Diagnosis(sections=(("Stacks", findings),)))
    outcome = polystack("doctor")
    assert outcome.code == 0
    assert "broken" in outcome.out
    assert "mine.toml" in outcome.out
