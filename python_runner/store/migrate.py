"""Brings a file of an older version up to date, all or nothing, and keeps the old one."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing, suppress
from functools import cache
from pathlib import Path

from python_runner.common.errors import StoreError
from python_runner.store.connection import StoreConnection, connect, damaged
from python_runner.store.schema import MIGRATIONS, SCHEMA_VERSION

_CHUNK_BYTES = 1 << 20
_PAGES_AT_ONCE = 1024
_DRAFT = ".unfinished"

Structure = tuple[tuple[object, ...], ...]


def structure_of(connection: sqlite3.Connection) -> Structure:
    """Tables with their columns (name, type, whether it may be empty, default, key), and indexes.

    Not the text of the schema: another SQLite may spell it in another way.
    """
    columns = connection.execute(
        'SELECT t.name, c.cid, c.name, c.type, c."notnull", c.dflt_value, c.pk'
        " FROM main.sqlite_schema t JOIN pragma_table_info(t.name) c"
        " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid"
    ).fetchall()
    indexes = connection.execute(
        'SELECT t.name, i.name, i."unique", c.seqno, c.name'
        " FROM main.sqlite_schema t JOIN pragma_index_list(t.name) i"
        " JOIN pragma_index_info(i.name) c"
        " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'"
        " ORDER BY t.name, i.name, c.seqno"
    ).fetchall()
    return (*columns, *indexes)


@cache
def expected_structure(version: int) -> Structure:
    """What a file of this version has."""
    with closing(sqlite3.connect(":memory:")) as empty:
        for migration in MIGRATIONS[:version]:
            migration(empty)
        return structure_of(empty)


def migrate(connection: StoreConnection, *, timeout_s: float) -> Path | None:
    """Apply what is missing, in one transaction.

    Two processes that do it at the same moment wait for each other, and the second finds it done.

    Returns:
        The copy of the file as it was; None if nothing was to be done, or there was nothing yet.

    Raises:
        StoreError: a migration failed, or no copy could be made; the file is as it was.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        kept = None
        if 0 < version < SCHEMA_VERSION:
            kept = _keep_copy(connection.path, version, timeout_s=timeout_s)
        for migration in MIGRATIONS[version:]:
            migration(connection)
        connection.execute(f"PRAGMA user_version = {max(version, SCHEMA_VERSION)}")
        connection.execute("COMMIT")
    except BaseException:
        # A full disk has made SQLite undo it already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return kept


def check_structure(connection: StoreConnection, version: int) -> None:
    """Raises StoreError if the tables are not those of `version`."""
    if structure_of(connection) != expected_structure(version):
        raise damaged(connection.path, f"its tables are not those of schema {version}")


def _keep_copy(path: Path, version: int, *, timeout_s: float) -> Path:
    """A copy of the file as the last transaction left it; an earlier copy is never replaced."""
    draft = path.with_suffix(f".v{version}{_DRAFT}")
    try:
        draft.unlink(missing_ok=True)
        # Over a connection of its own: one that holds the lock cannot be copied from.
        with (
            closing(connect(path, read_only=True, timeout_s=timeout_s)) as source,
            closing(sqlite3.connect(draft)) as copy,
        ):
            source.backup(copy, pages=_PAGES_AT_ONCE)
            copy.execute("PRAGMA journal_mode = DELETE")
        return _settle(draft, path, version)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"{path} is of an older polystack (schema {version}), and no copy of it can be kept: "
            f"{error}",
            hint="Make room beside it; it was left as it is.",
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _settle(draft: Path, path: Path, version: int) -> Path:
    """Give the draft its name, unless the same copy is there from a migration that failed."""
    number = 1
    while True:
        name = f".v{version}.sqlite" if number == 1 else f".v{version}-{number}.sqlite"
        copy = path.with_suffix(name)
        if not copy.exists():
            draft.replace(copy)
            return copy
        if _digest(copy) == _digest(draft):
            return copy
        number += 1


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()
