"""A disk that is full, or cannot be written: told before a run if it can be, else nothing lost."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from python_runner.common.errors import StoreError, UsageError
from python_runner.common.locations import source_root
from python_runner.engines.mock import MockEngine, MockModel
from python_runner.store import Store, read_frames
from tests.faults.fault import fault
from tests.faults.store.limits import files_end_at
from tests.faults.store.stores import NAME
from tests.unit.cli.conftest import Outcome, Polystack, compared, finished, polystack

__all__ = ["compared", "finished", "polystack"]
COMPARE = ("compare", "demo", "--stacks", "mock-cpp,mock-rust", "--no-open")
MORE_PAGES = 8


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Engines that were started, by name; each that is stopped is taken out again."""
    running: list[str] = []
    start, stop = MockEngine.start, MockModel.stop

    def noted_start(engine: MockEngine, *given: object, **named: object) -> MockModel:
        running.append("a mock")
        return start(engine, *given, **named)  # type: ignore[arg-type]

    def noted_stop(model: MockModel) -> None:
        running.pop()
        stop(model)

    monkeypatch.setattr(MockEngine, "start", noted_start)
    monkeypatch.setattr(MockModel, "stop", noted_stop)
    return running


@fault(
    "the disk is full in mid-run",
    injected="the store may grow by eight pages more (`PRAGMA max_page_count`)",
    seen="the disk is full, make room, `polystack resume RUN`; code 7",
    kept="every sample up to there; the engines are stopped",
)
def test_a_full_disk_in_mid_run_ends_it_and_keeps_the_samples(
    results: Path, polystack: Polystack, monkeypatch: pytest.MonkeyPatch, started: list[str]
) -> None:
    get_ready = Store.get_ready

    def then_fill(store: Store, needed_bytes: int | None = None) -> None:
        get_ready(store, needed_bytes)
        (pages,) = store.connection.execute("PRAGMA page_count").fetchone()
        store.connection.execute(f"PRAGMA max_page_count = {pages + MORE_PAGES}")

    monkeypatch.setattr(Store, "get_ready", then_fill)
    found = polystack(*COMPARE, "--iterations", "40")
    assert found.code == StoreError.exit_code, found.err
    assert "disk is full" in found.err
    assert "polystack resume" in " ".join(found.err.split())
    assert not started
    with Store(results / NAME, create=False) as store:
        store.check_pages()
        frames = read_frames(store)
    assert len(frames.samples) > 0
    assert not frames.damage
    assert frames.runs["status"].tolist() != ["complete"]
    assert polystack("show").code == 0


@fault(
    "the disk takes no more in mid-run",
    injected="a limit on the size of files (RLIMIT_FSIZE) in the process that measures",
    seen="the store cannot be written, what to do, no traceback; code 7",
    kept="every sample up to there; no process is left",
)
def test_a_limit_on_files_in_mid_run_ends_the_command(tmp_path: Path) -> None:
    limit = 400_000
    found = subprocess.run(
        [
            *(sys.executable, "-c", "from python_runner.cli import main; main()"),
            *(*COMPARE, "--iterations", "100"),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(source_root()),
            "POLYSTACK_RESULTS": str(tmp_path / "results"),
            "PYTHONDONTWRITEBYTECODE": "1",  # see `files_end_at`
        },
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == StoreError.exit_code, found.stdout + found.stderr
    assert "Traceback" not in found.stderr
    assert "cannot be" in found.stderr
    with Store(tmp_path / "results" / NAME, create=False) as store:
        store.check_pages()
        assert len(read_frames(store).samples) > 0


@fault(
    "the store cannot be written",
    injected="a limit of one byte on files (RLIMIT_FSIZE), which holds for root, too",
    seen="the store cannot be read or written; code 7, before an engine is started",
    kept="all earlier runs",
)
def test_what_cannot_be_written_is_told_before_anything_starts(
    compared: Outcome, polystack: Polystack, results: Path, started: list[str]
) -> None:
    with files_end_at(1):
        found = polystack(*COMPARE, "--iterations", "1")
    assert found.code == StoreError.exit_code
    assert "cannot be" in found.err
    assert not started
    with Store(results / NAME, create=False) as store:
        assert store.run_ids() == [1]


def below_a_file(folder: Path) -> Path:
    (folder / "a file").write_text("")
    return folder / "a file" / "results"


def in_proc(_: Path) -> Path:
    return Path("/proc/nowhere/results")


def logs_are_a_file(folder: Path) -> Path:
    (folder / "logs").write_text("")
    return folder


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(
            place,
            id=place.__name__,
            marks=fault(
                "the results folder cannot be made or written",
                injected=how,
                seen="it cannot be opened or written, and --results; code 7, before an engine "
                "is started",
                kept="there is nothing yet",
            ),
        )
        for place, how in (
            (below_a_file, "--results names a folder below a file"),
            (in_proc, "--results names a folder in /proc"),
            (logs_are_a_file, "a file stands where the logs go"),
        )
    ],
)
def test_a_folder_that_cannot_be_written_is_told_before_anything_starts(
    place: Callable[[Path], Path], tmp_path: Path, polystack: Polystack, started: list[str]
) -> None:
    folder = str(place(tmp_path))
    found = polystack(*COMPARE, "--iterations", "1", "--results", folder)
    assert found.code == StoreError.exit_code, found.err
    assert "--results" in found.err
    assert not started


@fault(
    "the disk has too little room for a run",
    injected="the system says that 3 MB are left",
    seen="how much is left, and about how much the run writes; code 7, before an engine is started",
    kept="all earlier runs",
)
def test_too_little_room_is_told_before_anything_starts(
    polystack: Polystack, monkeypatch: pytest.MonkeyPatch, started: list[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3_000_000))
    found = polystack(*COMPARE, "--iterations", "1")
    assert found.code == StoreError.exit_code
    assert "3 MB left" in found.err
    assert not started


@fault(
    "the disk is full while a table is exported",
    injected="no file may grow beyond 500 bytes (RLIMIT_FSIZE)",
    seen="which file cannot be written; code 2",
    kept="the run, and an earlier export as it was; no half of a new one",
)
@pytest.mark.parametrize("format_name", ["csv", "parquet", "json"])
def test_an_export_is_whole_or_not_there(
    format_name: str, compared: Outcome, polystack: Polystack, results: Path
) -> None:
    target = results / "out" / f"samples.{format_name}"
    target.parent.mkdir()
    target.write_text("the one before")
    # Whoever reads a store needs a small file beside it, which is there while it is open.
    with Store(results / NAME), files_end_at(500):
        found = polystack("export", "--format", format_name, "--output", str(target))
    assert found.code == UsageError.exit_code, found.err
    assert str(target) in found.err
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert target.read_text() == "the one before"


@fault(
    "the disk is full while pictures are drawn",
    injected="no file may grow beyond 500 bytes (RLIMIT_FSIZE)",
    seen="which file cannot be written, and `polystack plot RUN`; code 7",
    kept="the run, and earlier pictures as they were",
)
def test_pictures_are_whole_or_not_there(
    compared: Outcome, polystack: Polystack, results: Path
) -> None:
    folder = results / "run-0001"
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with Store(results / NAME), files_end_at(500):
        found = polystack("plot")
    assert found.code == StoreError.exit_code, found.err
    assert "polystack plot RUN" in found.err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
