"""Reads what can be read of a damaged file, in a copy of it."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from python_runner.store.migrate import expected_structure, structure_of
from python_runner.store.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION
from python_runner.store.sums import SUMS, Table

_MAGIC = b"SQLite format 3\x00"
_HEADER_BYTES = 100
_USUAL_PAGE = 4096
_PAGE_SIZES = tuple(2**power for power in range(9, 16))
_MOST_MISSING_PAGES = 1 << 20
_MOST_FAILURES = 100_000
"""Questions that may fail before a table is given up."""

Values = tuple[object, ...]
Kept = Mapping[int, tuple[int, int, int]]
"""Row to parent, count of columns, and sum."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A copy that can be asked."""

    connection: sqlite3.Connection
    version: int
    """Of its tables."""


def open_copy(copy: Path) -> Opened | None:
    """Mend the header and the list of tables of this copy; None if it cannot be made out."""
    with copy.open("rb") as file:
        header = file.read(_HEADER_BYTES).ljust(_HEADER_BYTES, b"\0")
    (said,) = struct.unpack_from(">H", header, 16)
    sizes = dict.fromkeys([*([said] if said in _PAGE_SIZES else []), _USUAL_PAGE])
    for size in sizes:
        _mend_header(copy, size)
        for mends_tables in (False, True):
            if mends_tables:
                _mend_tables(copy)
            connection = sqlite3.connect(copy, isolation_level=None)
            version = _version(connection)
            if version is not None:
                return Opened(connection=connection, version=version)
            connection.close()
    return None


def said_version(path: Path) -> int:
    """The version that the file's header names; it may be nonsense."""
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES).ljust(_HEADER_BYTES, b"\0")
    is_ours = header.startswith(_MAGIC) and struct.unpack_from(">I", header, 68) == (
        APPLICATION_ID,
    )
    return int(struct.unpack_from(">I", header, 60)[0]) if is_ours else 0


def _mend_header(copy: Path, page_size: int) -> None:
    """Write the header that each of our files has, whatever was there; keep the version."""
    with copy.open("r+b") as file:
        header = bytearray(file.read(_HEADER_BYTES).ljust(_HEADER_BYTES, b"\0"))
        there = max(1, -(-copy.stat().st_size // page_size))
        (said,) = struct.unpack_from(">I", header, 28)
        # Pages that were cut off are made empty: where a table begins, there has to be a page.
        pages = said if there < said < there + _MOST_MISSING_PAGES else there
        file.truncate(pages * page_size)
        header[:16] = _MAGIC
        struct.pack_into(">HBBBBBB", header, 16, page_size, 2, 2, 0, 64, 32, 32)
        struct.pack_into(">I", header, 28, pages)
        struct.pack_into(">I", header, 44, 4)  # the schema's format
        struct.pack_into(">III", header, 52, 0, 1, struct.unpack_from(">I", header, 60)[0])
        struct.pack_into(">I", header, 64, 0)
        struct.pack_into(">I", header, 68, APPLICATION_ID)
        header[92:96] = header[24:28]  # the count of pages is of the last change
        file.seek(0)
        file.write(header)


def _mend_tables(copy: Path) -> None:
    """Write the texts of the list of tables anew, as this version's program would have."""
    with closing(sqlite3.connect(":memory:")) as empty:
        for migration in MIGRATIONS:
            migration(empty)
        texts = empty.execute("SELECT sql, name FROM sqlite_schema WHERE sql NOT NULL").fetchall()
    with suppress(sqlite3.Error), closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.executemany("UPDATE sqlite_schema SET sql = ? WHERE name = ?", texts)
        connection.commit()


def _version(connection: sqlite3.Connection) -> int | None:
    """The version whose tables these are; None if they are nobody's."""
    try:
        structure = structure_of(connection)
    except (sqlite3.Error, UnicodeError):
        return None
    versions = range(SCHEMA_VERSION, 0, -1)
    return next((each for each in versions if expected_structure(each) == structure), None)


@dataclass
class RowReader:
    """Reads the rows of one table, around what cannot be read."""

    connection: sqlite3.Connection
    table: Table
    failures: int = 0
    """Questions that failed so far: at least one, and rows may be lost."""

    def read(self, last: int) -> dict[int, Values]:
        """Row number to its columns, texts as bytes, of rows up to the number `last`."""
        found = dict(self._range(1, last))
        if not self.failures:
            return found
        # From the other end, too: then the gap is small.
        return {**found, **dict(self._range(max(found, default=0) + 1, last))}

    def _range(self, first: int, last: int) -> Iterator[tuple[int, Values]]:
        waiting = [(first, last)]
        while waiting and self.failures < _MOST_FAILURES:
            low, high = waiting.pop()
            if low > high:
                continue
            reached = low - 1
            try:
                for row, *values in self._ask(low, high):
                    if not (isinstance(row, int) and reached < row <= high):
                        raise sqlite3.DatabaseError("rows are out of order")
                    reached = row
                    yield row, tuple(values)
            except (sqlite3.Error, UnicodeError):
                self.failures += 1
                middle = (reached + 1 + high) // 2
                if reached + 1 < high:
                    waiting += [(middle + 1, high), (reached + 1, middle)]

    def _ask(self, low: int, high: int) -> sqlite3.Cursor:
        return self.connection.execute(
            f"SELECT rowid, {', '.join(self.table.values())} FROM {self.table.name}"  # noqa: S608
            " NOT INDEXED WHERE rowid BETWEEN ? AND ? ORDER BY rowid",
            (low, high),
        )


def read_sums(
    connection: sqlite3.Connection, table: Table, parents: list[int]
) -> tuple[Kept, bool]:
    """The sums of a table's rows, and whether all that there were could be read."""
    found: dict[int, tuple[int, int, int]] = {}
    is_whole = True
    for parent in parents:
        for order in ("ASC", "DESC"):
            try:
                for row, columns, kept in connection.execute(
                    f"SELECT row, columns, sum FROM {SUMS} WHERE name = ? AND parent = ?"  # noqa: S608
                    f" ORDER BY row {order}",
                    (table.name, parent),
                ):
                    found[row] = (parent, columns, kept)
                break
            except (sqlite3.Error, UnicodeError):
                is_whole = False
    return found, is_whole


def last_row(connection: sqlite3.Connection, table: Table, kept: Kept) -> int:
    """The highest number that a row of this table can have."""
    found = [max(kept, default=0)]
    for query in (
        "SELECT seq FROM sqlite_sequence WHERE name = ?",
        f"SELECT max(rowid) FROM {table.name} WHERE ? NOT NULL",  # noqa: S608 - a name of ours
    ):
        with suppress(sqlite3.Error, UnicodeError):
            found += [
                number
                for (number,) in connection.execute(query, (table.name,))
                if isinstance(number, int)
            ]
    return max(found)
