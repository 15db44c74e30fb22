"""What stands in the store's place and is none is told, and left as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from python_runner.common.errors import StoreError
from tests.faults.fault import fault
from tests.faults.store.stores import NAME
from tests.unit.cli.conftest import Polystack, polystack

__all__ = ["polystack"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


def empty(path: Path) -> None:
    path.touch()


def empty_with_log(path: Path) -> None:
    path.touch()
    path.with_name(f"{path.name}-wal").write_bytes(b"\1" * 5000)


def folder(path: Path) -> None:
    path.mkdir()


def loop(path: Path) -> None:
    path.symlink_to(path)


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nothing"))


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


def text(path: Path) -> None:
    path.write_text("not a database\n" * 500)


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.commit()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(
            make,
            words,
            id=make.__name__,
            marks=fault(
                f"{what} stands in the store's place",
                injected=f"{what} made there",
                seen=f"“{words}”, and a hint; code 7",
                kept="it is left as it is",
            ),
        )
        for make, words, what in (
            (empty, "is empty", "an empty file"),
            (empty_with_log, "is empty, and", "an empty file beside a log that is not empty"),
            (folder, "is a folder", "a folder"),
            (loop, "cannot be opened", "a link to itself"),
            (dangling, "leads nowhere", "a link to nothing"),
            (device, "is no file", "a link to a device"),
            (text, "is damaged", "a file that is no database"),
            (foreign, "not a polystack store", "another program's database"),
        )
    ],
)
def test_what_is_no_store_is_told(
    make: Callable[[Path], None], words: str, results: Path, polystack: Polystack
) -> None:
    results.mkdir()
    path = results / NAME
    make(path)
    found = polystack("runs")
    assert found.code == StoreError.exit_code
    assert words in " ".join(found.err.split())
    assert len(found.err.strip().splitlines()) >= 2, "a hint"
    assert path.is_symlink() or path.exists()
