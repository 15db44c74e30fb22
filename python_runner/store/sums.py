"""A checksum of every row, so that a byte that flips on the disk is never shown as a figure.

SQLite notices when the file no longer hangs together, and not when a digit of a stamp is another
one. So each row of each table has a CRC-32 in a table of its own, written in the same transaction
by triggers. They are temporary ones, made when the store is opened: whatever tables there are have
them, and no code that writes has to know. A row that is gone leaves its sum behind, and is missed.

A sum covers the columns that the table had when the row was written: columns are only ever added
at the end, and an older program may still be measuring when a newer one adds one.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from zlib import crc32

SUMS = "row_sums"
SALTS = "store_salts"
_BOOKKEEPING = (SUMS, SALTS)
_EXPRESSIONS = {"TEXT": "CAST({} AS BLOB)", "REAL": "CAST({} AS REAL)"}
"""A text whose bytes are damaged may be no text; a whole number in a REAL column is a float."""
_AT_LEAST = 2
"""Of the three places where the salt stands, so many must agree."""


_SUMS = f"""
CREATE TABLE {SUMS} (
    name    TEXT NOT NULL,
    parent  INTEGER NOT NULL,
    row     INTEGER NOT NULL,
    columns INTEGER NOT NULL,
    sum     INTEGER NOT NULL,
    PRIMARY KEY (name, parent, row)
) STRICT, WITHOUT ROWID
"""
"""The checksum of each row of the table `name`, over its first `columns` columns."""
_SALTS = f"CREATE TABLE {SALTS} (salt INTEGER NOT NULL) STRICT"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table whose rows have sums."""

    name: str
    columns: tuple[tuple[str, str], ...]
    """Names and types."""
    parent: str | None
    """The column that names the row that a row belongs to; None: it belongs to none."""
    parent_table: str | None

    def parent_of(self, row: str = "") -> str:
        """The SQL expression for the parent's number; 0 where there is none."""
        return "0" if self.parent is None else f"coalesce({row}{self.parent}, 0)"

    def sum_of(self, row: str = "", count: int | None = None) -> str:
        """The SQL expression for the sum of the first `count` columns."""
        return f"row_sum('{self.name}', {', '.join(self.values(row)[:count])})"

    def values(self, row: str = "") -> list[str]:
        """The SQL expressions for all columns, as sums are made of them: texts as bytes."""
        return [_EXPRESSIONS.get(kind, "{}").format(f"{row}{name}") for name, kind in self.columns]


def tables_of(connection: sqlite3.Connection) -> list[Table]:
    """The tables of the store as they are in the file, parents before children."""
    names = connection.execute(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " ORDER BY rowid"
    ).fetchall()
    return [_table(connection, name) for (name,) in names if name not in _BOOKKEEPING]


def _table(connection: sqlite3.Connection, name: str) -> Table:
    columns = connection.execute("SELECT name, type FROM pragma_table_info(?)", (name,)).fetchall()
    keys = connection.execute('SELECT "from", "table" FROM pragma_foreign_key_list(?)', (name,))
    parents = {column: str(table) for column, table in keys.fetchall()}
    parent = next((str(column) for column, _ in columns if column in parents), None)
    return Table(
        name=name,
        columns=tuple((str(column), str(kind)) for column, kind in columns),
        parent=parent,
        parent_table=None if parent is None else parents[parent],
    )


def row_sum(salt: int, name: str, *values: float | bytes | None) -> int:
    """The CRC-32 of a row of the table `name`; `salt` is the store's own."""
    head = [(len(value),) if isinstance(value, bytes) else _plain(value) for value in values]
    start = crc32(f"{name}{head!r}".encode(), salt)
    return crc32(b"".join(value for value in values if isinstance(value, bytes)), start)


def _plain(value: float | None) -> float | None:
    # SQLite keeps -0.0 as 0.
    return value + 0.0 if isinstance(value, float) else value


def add_sums(connection: sqlite3.Connection) -> None:
    """The migration that brings sums: rows that are there are taken for what was written."""
    connection.execute(_SUMS)
    connection.execute(_SALTS)
    add_function(connection, _make_salt(connection))
    seal(connection, tables_of(connection))


def _make_salt(connection: sqlite3.Connection) -> int:
    """Give the store a number of its own, in three places: rows of another store do not fit.

    A write-ahead log that lies beside the wrong file would bring such rows.
    """
    salt: int
    (salt,) = connection.execute("SELECT random() & 0xffffffff").fetchone()
    connection.executemany(f"INSERT INTO {SALTS} VALUES (?)", [(salt,), (salt,)])  # noqa: S608
    connection.execute(f"INSERT INTO {SUMS} VALUES ('', 0, 0, 0, ?)", (salt,))  # noqa: S608
    return salt


def read_salt(connection: sqlite3.Connection) -> int | None:
    """The store's own number; None if it cannot be told any more."""
    rows = connection.execute(
        f"SELECT salt FROM {SALTS} UNION ALL SELECT sum FROM {SUMS} WHERE name = ''"  # noqa: S608
    ).fetchall()
    found = Counter(salt for (salt,) in rows if isinstance(salt, int)).most_common(1)
    if not found or found[0][1] < _AT_LEAST:
        return None
    return found[0][0]


def add_function(connection: sqlite3.Connection, salt: int) -> None:
    """Let SQL on this connection say `row_sum('table', values...)`."""
    connection.create_function("row_sum", -1, partial(row_sum, salt), deterministic=True)


def seal(connection: sqlite3.Connection, tables: Sequence[Table]) -> None:
    """Give a sum to every row of these tables that has none. `add_function` comes before."""
    for table in tables:
        connection.execute(
            f"INSERT INTO {SUMS} SELECT '{table.name}', {table.parent_of()}, rowid,"  # noqa: S608
            f" {len(table.columns)}, {table.sum_of()} FROM {table.name} WHERE NOT EXISTS"
            f" (SELECT 1 FROM {SUMS} WHERE name = '{table.name}'"
            f" AND parent = {table.parent_of(f'{table.name}.')} AND row = {table.name}.rowid)"
        )


def watch_writes(connection: sqlite3.Connection, tables: Sequence[Table]) -> None:
    """From now on, each row that this connection writes gets its sum."""
    for table in tables:
        forget = (
            f"DELETE FROM {SUMS} WHERE name = '{table.name}'"  # noqa: S608 - names are ours
            f" AND parent = {table.parent_of('OLD.')} AND row = OLD.rowid;"
        )
        keep = (
            f"INSERT INTO {SUMS} VALUES ('{table.name}', {table.parent_of('NEW.')}, NEW.rowid,"  # noqa: S608
            f" {len(table.columns)}, {table.sum_of('NEW.')});"
        )
        for event, actions in (("INSERT", keep), ("UPDATE", forget + keep), ("DELETE", forget)):
            connection.execute(
                f"CREATE TEMP TRIGGER {table.name}_{event} AFTER {event} ON main.{table.name}"
                f" BEGIN {actions} END"
            )
