"""A connection to the file whose errors are the store's: what happened, and what to do next."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from python_runner.common.errors import StoreError

_PRIMARY = 0xFF
"""SQLite's codes carry the kind of error in their lowest byte."""
_FULL = (
    "cannot be written: its disk is full",
    "Make room on that disk; what was finished is kept, and `polystack resume RUN` goes on.",
)
_NO_WRITING = (
    "cannot be written",
    "The file, its folder or its disk is read-only, or not yours: --results names another folder.",
)
_HELD = ("is held by another process", "Try again when that one has ended.")
_WORDS = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written",
        "Its disk is broken, or full, or a limit was met; what was finished is kept. "
        "`polystack doctor` looks at the store.",
    ),
    sqlite3.SQLITE_READONLY: _NO_WRITING,
    sqlite3.SQLITE_PERM: _NO_WRITING,
    sqlite3.SQLITE_CANTOPEN: _NO_WRITING,
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

if TYPE_CHECKING:
    from _typeshed import SupportsLenAndGetItem

    _Parameters = SupportsLenAndGetItem[Any] | Mapping[str, Any]

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")
_Self = TypeVar("_Self", bound="StoreCursor")


def rescue_hint(path: Path) -> str:
    """What to type about a damaged file."""
    return (
        f"`polystack rescue {path}` saves what can be read into a new store, and leaves this one."
    )


def damaged(path: Path, how: str) -> StoreError:
    """The file is not what was written; `how` says what was seen."""
    return StoreError(f"{path} is damaged: {how}", hint=rescue_hint(path))


def store_error(path: Path, error: sqlite3.Error | OSError) -> StoreError:
    """What SQLite or the system says, in the store's words."""
    if isinstance(error, OSError):
        return StoreError(
            f"{path} cannot be opened: {error.strerror or error}", hint=_NO_WRITING[1]
        )
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
    if code in _DAMAGED:
        return damaged(path, str(error))
    what, hint = _WORDS.get(code, ("cannot be used", f"If it is damaged, {rescue_hint(path)}"))
    return StoreError(f"{path} {what}: {error}", hint=hint)


def _told(
    method: Callable[Concatenate[_Self, _Given], _Found],
) -> Callable[Concatenate[_Self, _Given], _Found]:
    """The same, with a StoreError in the place of what a file or a disk can cause."""

    @wraps(method)
    def told(cursor: _Self, /, *given: _Given.args, **named: _Given.kwargs) -> _Found:
        try:
            return method(cursor, *given, **named)
        except sqlite3.ProgrammingError:
            raise  # ours to mend, and no user's
        except sqlite3.DatabaseError as error:
            raise store_error(cursor.connection.path, error) from error
        except UnicodeDecodeError as error:
            raise damaged(cursor.connection.path, "what should be text is none") from error

    return told


class StoreConnection(sqlite3.Connection):
    """Raises StoreError. Open it with `connect`."""

    path: Path

    def cursor(self, factory: object = None) -> StoreCursor:  # type: ignore[override]
        """All cursors tell of errors as the connection does."""
        return super().cursor(StoreCursor)

    def execute(self, sql: str, parameters: _Parameters = (), /) -> StoreCursor:
        """As its cursors do: sqlite3's own would take plain ones."""
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[_Parameters], /) -> StoreCursor:
        """The same for many rows."""
        return self.cursor().executemany(sql, parameters)


class StoreCursor(sqlite3.Cursor):
    """Raises StoreError."""

    connection: StoreConnection

    execute = _told(sqlite3.Cursor.execute)
    executemany = _told(sqlite3.Cursor.executemany)
    fetchone = _told(sqlite3.Cursor.fetchone)
    fetchmany = _told(sqlite3.Cursor.fetchmany)
    fetchall = _told(sqlite3.Cursor.fetchall)
    __next__ = _told(sqlite3.Cursor.__next__)


def connect(path: Path, *, read_only: bool, timeout_s: float) -> StoreConnection:
    """A connection in autocommit mode. Raises StoreError if the file cannot be opened."""
    try:
        found = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro" if read_only else path,
            uri=read_only,
            timeout=timeout_s,
            isolation_level=None,
            check_same_thread=False,
            factory=StoreConnection,
        )
    except (sqlite3.Error, OSError) as error:
        raise store_error(path, error) from error
    assert isinstance(found, StoreConnection)
    found.path = path
    return found
