"""Results of mocks: two comparisons and a load, and nothing of this machine's."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_runner.cli import run_command
from python_runner.measure import MachineProbe
from python_runner.notebook import Run, open_run
from python_runner.store import Store
from tests.golden.loads import LLAMA, OLLAMA, closed_levels, record_load
from tests.unit.cli.conftest import MOCKS, STILL


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results: runs 1 and 2 compare four mocks, run 3 is a load."""
    folder = tmp_path_factory.mktemp("stored")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POLYSTACK_RESULTS", str(folder))
        # Mocks have a clock of their own, so the machine has to stand still, too.
        patch.setattr(MachineProbe, "read", lambda _: STILL)
        for iterations in ("8", "4"):
            options = ["--stacks", MOCKS, "--iterations", iterations]
            assert run_command(["compare", "demo", *options]) == 0
    with Store(folder / "polystack.sqlite") as store:
        record_load(store, [LLAMA, OLLAMA], closed_levels([1, 4]), slo={"ttft": "100ms"})
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is found by chance."""
    monkeypatch.delenv("POLYSTACK_RESULTS", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def compared(stored: Path) -> Run:
    return open_run(stored, 1)


@pytest.fixture(scope="session")
def loaded(stored: Path) -> Run:
    return open_run(stored, 3)
