"""`polystack doctor`: what is shown, and the exit code."""

import pytest

from python_runner import run
from python_runner.common.checkup import Finding, State
from python_runner.run import Diagnosis
from tests.unit.cli.conftest import Polystack

READY = Finding(subject="llama.cpp", state=State.READY, detail="", is_needed=True)
LATER = Finding(
    subject="ollama",
    state=State.LATER,
    detail="building Ollama [0.17.4]",
    expected_s=150.0,
    mend="polystack build --stacks ollama",
    is_needed=True,
)
MISSING = Finding(
    subject="ollama",
    state=State.MISSING,
    detail="go was not found",
    mend="sudo apt install golang-go",
    is_needed=True,
)


def find(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    monkeypatch.setattr(run, "examine", lambda **_: Diagnosis(sections=(("Stacks", findings),)))


def test_what_is_ready_or_can_be_built_is_no_failure(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(monkeypatch, READY, LATER)
    outcome = polystack("doctor")
    assert outcome.code == 0
    assert "building Ollama [0.17.4] (about 2 min)" in outcome.out
    assert "polystack build --stacks ollama" in outcome.out
    assert "can run" in outcome.out


def test_what_is_missing_is_named_with_what_to_type(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(monkeypatch, READY, MISSING)
    outcome = polystack("doctor")
    assert outcome.code == 3
    assert "go was not found" in outcome.out
    assert "sudo apt install golang-go" in outcome.out
    assert "In the way: ollama" in outcome.out
