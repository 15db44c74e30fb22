"""The sample is packed from one complete run, and from nothing of its maker's."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_runner import load
from python_runner.cli import run_command
from python_runner.common.errors import UsageError
from python_runner.measure import MachineProbe
from python_runner.notebook.make_sample import make_sample
from python_runner.store import Store
from tests.unit.cli.conftest import STILL


@pytest.fixture
def one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results with one run of two mocks."""
    monkeypatch.setattr(MachineProbe, "read", lambda _: STILL)
    folder = tmp_path / "results"
    options = ["--stacks", "mock-cpp,mock-go", "--iterations", "2", "--results", str(folder)]
    assert run_command(["compare", "demo", *options]) == 0
    return folder


def test_one_file_with_the_run_comes_out(one_run: Path, tmp_path: Path) -> None:
    target = make_sample(one_run, tmp_path / "sample.sqlite")
    assert len(load(target)) == len(load(one_run))
    assert [path.name for path in tmp_path.glob("sample*")] == ["sample.sqlite"]


@pytest.mark.parametrize(
    "path",
    ["/home/somebody/models/tiny", "/tmp/build-1", str(Path.home() / "x")],  # noqa: S108
)
def test_a_path_of_the_makers_is_refused(path: str, one_run: Path, tmp_path: Path) -> None:
    with Store(one_run / "polystack.sqlite") as store, store.transaction() as connection:
        connection.execute("UPDATE conditions SET version = ?", (f"1 of {path}",))
    with pytest.raises(UsageError, match="paths of this machine") as caught:
        make_sample(one_run, tmp_path / "sample.sqlite")
    assert str(Path(path).parts[1]) in caught.value.message
    assert not list(tmp_path.glob("sample*"))


def test_several_runs_are_refused(stored: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds 3 runs"):
        make_sample(stored, tmp_path / "sample.sqlite")


def test_a_run_that_was_broken_off_is_refused(one_run: Path, tmp_path: Path) -> None:
    with Store(one_run / "polystack.sqlite") as store, store.transaction() as connection:
        connection.execute("UPDATE runs SET status = 'interrupted'")
    with pytest.raises(UsageError, match="complete"):
        make_sample(one_run, tmp_path / "sample.sqlite")
