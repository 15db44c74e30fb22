"""Stores of other versions of the program."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from python_runner.common.errors import StoreError
from python_runner.common.locations import source_root
from python_runner.store import Store, migrate, read_frames
from python_runner.store.schema import MIGRATIONS, SCHEMA_VERSION
from tests.faults.fault import fault
from tests.faults.store.limits import files_end_at
from tests.faults.store.stores import NAME, make_old_store
from tests.unit.cli.conftest import Polystack, polystack

__all__ = ["polystack"]
_STOP_IN_MIGRATION = """
import sys, time
from pathlib import Path
from python_runner.store import Store, migrate
def stop(connection):
    migrate_last(connection)
    print("half-way", flush=True)
    time.sleep(600)
*first, migrate_last = migrate.MIGRATIONS
migrate.MIGRATIONS = (*first, stop)
Store(Path(sys.argv[1]))
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def old(results: Path) -> Path:
    results.mkdir()
    make_old_store(results / NAME, 1)
    return results / NAME


def content(path: Path) -> list[str]:
    """All of a database as text, and its version."""
    with closing(sqlite3.connect(path)) as file:
        return [*file.iterdump(), str(file.execute("PRAGMA user_version").fetchone())]


def assert_up_to_date(path: Path) -> None:
    with Store(path) as store:
        frames = read_frames(store)
        assert not frames.damage
    assert frames.runs["study"].tolist() == ["old"]
    assert frames.samples["requested_ns"].tolist() == [100, 300]
    assert frames.samples["ended_ns"].tolist() == [201, 402]


@fault(
    "the store is of an older version",
    injected="a file of each earlier schema, with a run in it",
    seen="that it was brought up to date, and the name of the copy",
    kept="all that was in it, and the file as it was (`polystack.vN.sqlite`)",
)
@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_an_older_store_is_brought_up_to_date(
    version: int, results: Path, polystack: Polystack
) -> None:
    results.mkdir()
    make_old_store(results / NAME, version)
    before = content(results / NAME)
    found = polystack("runs")
    assert found.code == 0, found.err
    copy = results / f"polystack.v{version}.sqlite"
    assert copy.name in found.err
    assert content(copy) == before
    assert_up_to_date(results / NAME)
    assert polystack("runs").err == ""


@fault(
    "the store is of a newer version",
    injected="the file's schema is number 99",
    seen="it was written by a newer polystack, update; code 7",
    kept="it is left as it is",
)
def test_a_newer_store_is_refused(results: Path, polystack: Polystack) -> None:
    results.mkdir()
    Store(results / NAME).close()
    with closing(sqlite3.connect(results / NAME)) as file:
        file.execute("PRAGMA user_version = 99")
    before = (results / NAME).read_bytes()
    found = polystack("compare", "demo", "--stacks", "mock-cpp", "--iterations", "1")
    assert found.code == StoreError.exit_code
    assert "newer polystack" in found.err
    assert polystack("rescue").code == StoreError.exit_code
    assert (results / NAME).read_bytes() == before


@fault(
    "bringing an older store up to date fails half-way",
    injected="the last step of it fails",
    seen="what failed; code 7",
    kept="the file as it was, and one copy of it, however often it is tried",
)
def test_a_migration_that_fails_leaves_the_file_as_it_was(
    old: Path, polystack: Polystack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(old)

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE runs ADD COLUMN half TEXT")
        connection.execute("this is no SQL")

    with monkeypatch.context() as broken:
        broken.setattr(migrate, "MIGRATIONS", (*MIGRATIONS[:-1], fail))
        for _ in range(2):
            found = polystack("runs")
            assert found.code == StoreError.exit_code
            assert content(old) == before
    assert [path.name for path in old.parent.glob("*.v*")] == ["polystack.v1.sqlite"]
    assert_up_to_date(old)


@fault(
    "the program is killed while it brings an older store up to date",
    injected="SIGKILL after the last step, before the end of the transaction",
    seen="nothing: the next command does it again",
    kept="the file as it was, and its copy",
)
def test_a_kill_in_mid_migration_leaves_the_file_as_it_was(old: Path) -> None:
    before = content(old)
    with subprocess.Popen(
        [sys.executable, "-c", _STOP_IN_MIGRATION, str(old)],
        env={**os.environ, "PYTHONPATH": str(source_root())},
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "half-way\n"
        child.kill()
    assert content(old) == before
    assert_up_to_date(old)
    assert content(old.with_name("polystack.v1.sqlite")) == before


@fault(
    "a copy of that name is there already",
    injected="another file of the copy's name",
    seen="the name of the new copy",
    kept="both copies",
)
def test_an_earlier_copy_is_not_replaced(old: Path) -> None:
    earlier = old.with_name("polystack.v1.sqlite")
    earlier.write_text("of long ago")
    with Store(old) as store:
        assert store.kept_copy == old.with_name("polystack.v1-2.sqlite")
    assert earlier.read_text() == "of long ago"
    assert_up_to_date(old)


@fault(
    "the disk is full while the copy is made",
    injected="no file may grow beyond 60 kB (RLIMIT_FSIZE); the store has more",
    seen="no copy can be kept, make room, it was left as it was; code 7",
    kept="the file as it was; no half of a copy",
)
def test_without_room_for_a_copy_nothing_is_changed(old: Path, polystack: Polystack) -> None:
    with closing(sqlite3.connect(old)) as file:
        file.execute("UPDATE samples SET text = ?", ("long " * 20_000,))
        file.commit()
    before = content(old)
    with files_end_at(60_000):
        found = polystack("runs")
    assert found.code == StoreError.exit_code
    assert "no copy of it can be kept" in found.err
    assert content(old) == before
    assert not list(old.parent.glob("*.v1*"))
    assert_up_to_date(old)


@fault(
    "two processes bring an older store up to date at the same moment",
    injected="two connections open it at once, five times",
    seen="nothing: one waits for the other",
    kept="all that was in it, and one copy of the file as it was",
)
def test_two_may_migrate_at_the_same_moment(tmp_path: Path) -> None:
    for attempt in range(5):
        path = tmp_path / str(attempt) / NAME
        path.parent.mkdir()
        make_old_store(path, 1)
        before = content(path)
        assert open_at_once(path) == []
        copies = list(path.parent.glob("*.v*"))
        assert [content(copy) for copy in copies] == [before]
        assert_up_to_date(path)


@fault(
    "two processes make the store at the same moment",
    injected="two connections open a file that is not there yet, five times",
    seen="nothing: one waits for the other",
    kept="one store",
)
def test_two_may_make_the_store_at_the_same_moment(tmp_path: Path) -> None:
    for attempt in range(5):
        assert open_at_once(tmp_path / str(attempt) / NAME) == []


def open_at_once(path: Path) -> list[Exception]:
    """What goes wrong when two open this store together."""
    together, failed = threading.Barrier(2), list[Exception]()

    def open_it() -> None:
        together.wait()
        try:
            Store(path).close()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed
