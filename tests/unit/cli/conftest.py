"""Run the command line in this process, on mock engines and the tiny model's tokenizer."""

import io
import json
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
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


def _set_up(patch: pytest.MonkeyPatch, results: Path) -> None:
    patch.setenv("POLYSTACK_RESULTS", str(results))
    patch.setenv("COLUMNS", "120")
    # Mocks have a clock of their own, so the machine has to stand still, too.
    patch.setattr(MachineProbe, "read", lambda _: STILL)


@pytest.fixture
def polystack(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Polystack:
    _set_up(monkeypatch, results)

    def call(*arguments: str) -> Outcome:
        code = run_command(list(arguments))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A folder with a run of the demo study on four mocks, made once, and what was said."""
    folder = tmp_path_factory.mktemp("finished") / "results"
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        _set_up(patch, folder)
        code = run_command(["compare", "demo", "--stacks", MOCKS, "--iterations", "4"])
    assert code == 0, err.getvalue()
    return folder, Outcome(code, out.getvalue(), err.getvalue())


@pytest.fixture
def compared(polystack: Polystack, results: Path, finished: tuple[Path, Outcome]) -> Outcome:
    """That run, in a copy that a test may change."""
    folder, outcome = finished
    shutil.copytree(folder, results)
    return outcome


def read_json(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8"))
