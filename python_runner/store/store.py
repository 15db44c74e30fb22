"""The file: open it, migrate it, list its runs."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from python_runner.common.errors import StoreError, UnknownNameError
from python_runner.common.locations import results_dir
from python_runner.store.connection import StoreConnection, connect, damaged, store_error
from python_runner.store.migrate import check_structure, migrate
from python_runner.store.room import require_room
from python_runner.store.schema import APPLICATION_ID, SCHEMA_VERSION
from python_runner.store.sums import add_function, read_salt, tables_of, watch_writes

_BUSY_TIMEOUT_S = 30.0
_IN_MEMORY = Path(":memory:")


def default_store_path() -> Path:
    """`polystack.sqlite` in the results folder."""
    return results_dir() / "polystack.sqlite"


class OlderStoreError(StoreError):
    """The file is to be brought up to date first, and was opened for reading only."""


class Store:
    """An open store. Every write is a transaction of its own, on disk when it returns."""

    kept_copy: Path | None = None
    """The file as it was before opening it brought it up to date; None: nothing was to be done."""

    def __init__(self, path: Path, *, create: bool = True, read_only: bool = False) -> None:
        """Open `path`, creating or migrating it as needed.

        With `read_only` nothing is created, migrated or written: another process may be measuring.

        Raises StoreError if the file is not a store, is damaged, is newer than this program (or
        older, with `read_only`), or cannot be written.
        """
        self.path = path
        if path != _IN_MEMORY:
            _look_at(path, may_make=create and not read_only)
        self._connection = connect(path, read_only=read_only, timeout_s=_BUSY_TIMEOUT_S)
        try:
            version = self._check()
            if read_only:
                self._refuse_older(version)
            check_structure(self._connection, version)
            if not read_only:
                self._prepare(version)
            self._know_rows(may_write=not read_only)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file; the write-ahead log is folded into it."""
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[StoreConnection]:
        """A write transaction; committed at the end, undone if an error passes through.

        Raises StoreError if the disk is full, or the file cannot be written.
        """
        with self._until_committed("BEGIN IMMEDIATE"):
            yield self._connection

    @contextmanager
    def one_moment(self) -> Iterator[StoreConnection]:
        """All that is read here is of one moment, whatever another process writes meanwhile."""
        if self._connection.in_transaction:
            yield self._connection
            return
        with self._until_committed("BEGIN"):
            yield self._connection

    @property
    def connection(self) -> StoreConnection:
        """For reading. Raises StoreError where the file is damaged."""
        return self._connection

    def run_ids(self) -> list[int]:
        """All runs, oldest first."""
        rows = self._connection.execute("SELECT run_id FROM runs ORDER BY run_id")
        return [run_id for (run_id,) in rows]

    def find_run(self, name: str) -> int:
        """The run called `name`: its number, or `latest`. Raises UnknownNameError."""
        known = self.run_ids()
        if name == "latest" and known:
            return known[-1]
        if name.isdigit() and int(name) in known:
            return int(name)
        raise UnknownNameError("run", name, [str(run_id) for run_id in known[-20:]] + ["latest"])

    def get_ready(self, needed_bytes: int | None = None) -> None:
        """Before anything is built or measured: see that a run can be kept.

        Args:
            needed_bytes: what the run will write, if something is known of it.

        Raises:
            StoreError: the file is damaged, cannot be written, or its disk is too full.
        """
        self.check_pages()
        if self.path == _IN_MEMORY:
            return
        require_room(self.path.parent, needed_bytes)
        with self.transaction() as connection:
            # Changes nothing, and is written all the same.
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def check_pages(self) -> None:
        """Raises StoreError if the file does not hang together. Reads all of it."""
        (found, *_) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise damaged(self.path, " ".join(str(found).split()))

    @contextmanager
    def _until_committed(self, begin: str) -> Iterator[None]:
        connection = self._connection
        connection.execute(begin)
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # A full disk has made SQLite undo it already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _check(self) -> int:
        """The version of the file. Raises StoreError if it is not ours to read."""
        with self.one_moment() as connection:
            (application_id,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables and application_id != APPLICATION_ID:
            raise StoreError(
                f"{self.path} is an SQLite file, but not a polystack store",
                hint="Name another folder with --results.",
            )
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{self.path} was written by a newer polystack (schema {version}; this one "
                f"reads up to {SCHEMA_VERSION})",
                hint="Update polystack, or use another results folder.",
            )
        return int(version)

    def _refuse_older(self, version: int) -> None:
        if version < SCHEMA_VERSION:
            raise OlderStoreError(
                f"{self.path} was written by an older polystack (schema {version}; this one "
                f"follows {SCHEMA_VERSION})",
                hint="When nothing is measured any more, `polystack runs` brings it up to date.",
            )

    def _prepare(self, version: int) -> None:
        connection = self._connection
        connection.execute("PRAGMA foreign_keys = ON")
        # FULL: a sample that was reported as kept survives a power failure, too.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_mode = WAL")
        if version < SCHEMA_VERSION:
            self.kept_copy = migrate(connection, timeout_s=_BUSY_TIMEOUT_S)

    def _know_rows(self, *, may_write: bool) -> None:
        """Rows that are read can be held against their sums, and those that are written get one."""
        connection = self._connection
        connection.execute("PRAGMA temp_store = MEMORY")
        salt = read_salt(connection)
        if salt is None:
            raise damaged(self.path, "what its checksums begin with is lost")
        add_function(connection, salt)
        if may_write:
            watch_writes(connection, tables_of(connection))


def _look_at(path: Path, *, may_make: bool) -> None:
    """Raises StoreError if there is no file at `path` that can be a store, nor can one be made."""
    try:
        if may_make:
            path.parent.mkdir(parents=True, exist_ok=True)
        found = path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            raise StoreError(
                f"{path} is a link that leads nowhere",
                hint="Remove it, or name another folder with --results.",
            ) from None
        if may_make:
            return
        raise StoreError(
            f"no results at {path}",
            hint="Run `polystack compare` first, or name the folder with --results.",
        ) from None
    except (NotADirectoryError, FileExistsError) as error:
        in_the_way = next((each for each in path.parents if each.exists()), path)
        raise StoreError(
            f"{in_the_way} is a file, and results need a folder",
            hint="Name a folder with --results.",
        ) from error
    except OSError as error:
        raise store_error(path, error) from error
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "no file"
        raise StoreError(
            f"{path} is {what}, and no store", hint="Name another folder with --results."
        )
    if found.st_size == 0:
        _refuse_empty(path, may_make=may_make)


def _refuse_empty(path: Path, *, may_make: bool) -> None:
    log = path.with_name(f"{path.name}-wal")
    if log.is_file() and log.stat().st_size:
        # SQLite would throw the log away.
        raise damaged(path, f"it is empty, and {log.name} beside it is not")
    if not may_make:
        raise StoreError(
            f"{path} is empty",
            hint="`polystack compare` begins a new store in its place.",
        )
