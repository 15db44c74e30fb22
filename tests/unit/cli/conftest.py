"""Run the command line in this process, on mock engines and the tiny model's tokenizer."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from python_runner.cli import run_command
from python_runner.measure import MachineProbe, NoiseReading

STILL = NoiseReading(compute_ns=2_000_000, memory_ns=5_000_000)
MOCKS = "mock-cpp,mock-go,mock-rust,mock-python"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Polystack = Callable[..., Outcome]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def polystack(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Polystack:
    monkeypatch.setenv("POLYSTACK_RESULTS", str(results))
    monkeypatch.setenv("COLUMNS", "120")
    # Mocks have a clock of their own, so the machine has to stand still, too.
    monkeypatch.setattr(MachineProbe, "read", lambda _: STILL)

    def call(*arguments: str) -> Outcome:
        code = run_command(list(arguments))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def compared(polystack: Polystack) -> Outcome:
    """A stored run of the demo study on four mocks."""
    outcome = polystack("compare", "demo", "--stacks", MOCKS, "--iterations", "4")
    assert outcome.code == 0, outcome.err
    return outcome


def read_json(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8"))
