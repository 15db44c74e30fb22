"""The file: open it, migrate it, list its runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from python_runner.common.errors import StoreError, UnknownNameError
from python_runner.common.locations import results_dir
from python_runner.store.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION

_BUSY_TIMEOUT_S = 30.0


def default_store_path() -> Path:
    """`polystack.sqlite` in the results folder."""
    return results_dir() / "polystack.sqlite"


class Store:
    """An open store. Every write is a transaction of its own, on disk when it returns."""

    def __init__(self, path: Path, *, create: bool = True, read_only: bool = False) -> None:
        """Open `path`, creating or migrating it as needed.

        With `read_only` nothing is created, migrated or written: another process may be measuring.

        Raises StoreError if the file is not a store, is newer than this program (or older, with
        `read_only`), or cannot be written.
        """
        self.path = path
        if (read_only or not create) and not path.is_file():
            raise StoreError(
                f"no results at {path}",
                hint="Run `polystack compare` first, or name the folder with --results.",
            )
        try:
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro" if read_only else path,
                uri=read_only,
                timeout=_BUSY_TIMEOUT_S,
                isolation_level=None,
                check_same_thread=False,
            )
            version = self._check()
            if read_only:
                self._refuse_older(version)
            else:
                self._prepare(version)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"{path} cannot be opened: {error}",
                hint="Is the folder writable, and the file a polystack store?",
            ) from error

    def close(self) -> None:
        """Close the file; the write-ahead log is folded into it."""
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction; committed at the end, undone if an error passes through."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.path} cannot be written: {error}",
                hint="Is the disk full, or the folder read-only? Samples up to here are kept.",
            ) from error

    @property
    def connection(self) -> sqlite3.Connection:
        """For reading."""
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

    def _check(self) -> int:
        """The version of the file. Raises StoreError if it is not ours to read."""
        connection = self._connection
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables and application_id != APPLICATION_ID:
            raise StoreError(f"{self.path} is an SQLite file, but not a polystack store")
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{self.path} was written by a newer polystack (schema {version}; this one "
                f"reads up to {SCHEMA_VERSION})",
                hint="Update polystack, or use another results folder.",
            )
        return int(version)

    def _refuse_older(self, version: int) -> None:
        if version < SCHEMA_VERSION:
            raise StoreError(
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
        self._migrate(version)

    def _migrate(self, version: int) -> None:
        if version == SCHEMA_VERSION:
            return
        if version > 0:
            self._keep_copy(version)
        with self.transaction() as connection:
            # Another process may have migrated while this one waited for the lock.
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            for migration in MIGRATIONS[version:]:
                migration(connection)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _keep_copy(self, version: int) -> None:
        copy = sqlite3.connect(self.path.with_suffix(f".v{version}.sqlite"))
        with copy:
            self._connection.backup(copy)
        copy.close()
