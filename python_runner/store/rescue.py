"""Saves what can be saved of a damaged store into a new one; the damaged file stays as it is.

A row is saved if it is what its checksum says (`store.sums`), and if the row that it belongs to is
saved. A file that is older than checksums is taken as it reads, which `Rescued.is_proven` says.
Runs that have lost a row are marked as interrupted: they are not whole, and can be resumed.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from python_runner.common.errors import StoreError
from python_runner.store.connection import store_error
from python_runner.store.damage import NO_RUN, RUNS
from python_runner.store.salvage import (
    Kept,
    Opened,
    RowReader,
    Values,
    last_row,
    open_copy,
    read_sums,
    said_version,
)
from python_runner.store.schema import MIGRATIONS, SCHEMA_VERSION
from python_runner.store.sums import Table, add_function, read_salt, row_sum, seal, tables_of

_LOG = "-wal"


@dataclass(frozen=True, kw_only=True)
class SavedTable:
    """What became of one table."""

    name: str
    saved: int
    lost: int
    """Rows that are known to have been there."""
    may_have_more: bool
    """More may be lost: how many there were cannot be told."""


@dataclass(frozen=True, kw_only=True)
class Rescued:
    """What became of a damaged store."""

    path: Path
    """The new store."""
    tables: tuple[SavedTable, ...]
    is_proven: bool
    """Each saved row is what was written; else the file had no checksums that can be used."""
    cut_runs: tuple[int, ...]
    """Runs that are saved and have lost something; they are marked as interrupted."""


def rescue(path: Path, folder: Path) -> Rescued:
    """Save what can be saved of the store `path` into a store of the same name in `folder`.

    Args:
        path: it is read only, and stays as it is; a write-ahead log beside it counts.
        folder: is made; nothing is left of it if nothing can be saved.

    Raises:
        StoreError: nothing can be saved, `folder` cannot be written, or the store is newer.
    """
    if not path.is_file():
        raise StoreError(f"no file at {path}", hint="Name the damaged store.")
    if said_version(path) > SCHEMA_VERSION and _is_readable(path):
        raise StoreError(
            f"{path} was written by a newer polystack", hint="Update polystack, and try again."
        )
    log = path.with_name(path.name + _LOG)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".rescue-", dir=folder.parent) as work:
            attempts = [
                _attempt(path, Path(work) / name, with_log=with_log)
                # A log of another file would hide what there is.
                for name, with_log in (("with", True), ("without", False))
                if log.is_file() or not with_log
            ]
            made = [each for each in attempts if each is not None and _saved(each)]
            if not made:
                raise StoreError(
                    f"nothing can be saved of {path}: no row of a store can be made out",
                    hint="Move it away; the next run begins a new store.",
                )
            best = max(made, key=_saved)
            folder.mkdir(parents=True)
            target = folder / path.name
            best.path.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise store_error(folder, error) from error
    return Rescued(
        path=target, tables=best.tables, is_proven=best.is_proven, cut_runs=best.cut_runs
    )


def _saved(rescued: Rescued) -> int:
    return sum(table.saved for table in rescued.tables)


def _is_readable(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            return bool(file.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


def _attempt(path: Path, work: Path, *, with_log: bool) -> Rescued | None:
    work.mkdir()
    copy = work / path.name
    shutil.copyfile(path, copy)
    if with_log:
        shutil.copyfile(path.with_name(path.name + _LOG), copy.with_name(copy.name + _LOG))
    opened = open_copy(copy)
    if opened is None:
        return None
    with closing(opened.connection):
        return _Saving(opened, work / "new.sqlite").save()


@dataclass
class _Saving:
    """Goes through all tables, those that others belong to first."""

    source: Opened
    target: Path
    _saved: dict[str, set[int]] = field(default_factory=dict)
    _runs: dict[str, dict[int, int]] = field(default_factory=dict)
    """Table to row to its run, of all rows that are known to have been."""
    _cut: set[int] = field(default_factory=set)
    _all_cut: bool = False

    def save(self) -> Rescued:
        source = self.source.connection
        tables = tables_of(source)
        try:
            salt = read_salt(source)
        except sqlite3.Error:
            salt = None
        with closing(sqlite3.connect(self.target, isolation_level=None)) as target:
            target.execute("BEGIN")
            for migration in MIGRATIONS[: self.source.version]:
                migration(target)
            report = tuple(self._table(table, target, salt) for table in tables)
            self._finish(target, salt is not None)
        return Rescued(
            path=self.target,
            tables=report,
            is_proven=salt is not None,
            cut_runs=tuple(sorted(self._cut)),
        )

    def _table(self, table: Table, target: sqlite3.Connection, salt: int | None) -> SavedTable:
        source = self.source.connection
        parents = [0] if table.parent_table is None else list(self._runs[table.parent_table])
        kept: Kept = {}
        is_whole = salt is None
        if salt is not None:
            kept, is_whole = read_sums(source, table, parents)
        reader = RowReader(source, table)
        rows = reader.read(last_row(source, table, kept))
        good = {
            row: values
            for row, values in rows.items()
            if salt is None or _is_as_kept(salt, table, values, kept.get(row))
        }
        saved = {row for row, values in good.items() if self._insert(table, target, row, values)}
        self._saved[table.name] = saved
        self._runs[table.name] = self._runs_of(table, rows, kept)
        lost = (kept.keys() | rows.keys()) - saved
        unsure = not is_whole or (salt is None and bool(reader.failures))
        self._note_lost(table, lost, unsure=unsure)
        return SavedTable(name=table.name, saved=len(saved), lost=len(lost), may_have_more=unsure)

    def _insert(self, table: Table, target: sqlite3.Connection, row: int, values: Values) -> bool:
        if table.parent_table is not None:
            names = [name for name, _ in table.columns]
            if values[names.index(str(table.parent))] not in self._saved[table.parent_table]:
                return False
        try:
            texts = [
                value.decode() if kind == "TEXT" and isinstance(value, bytes) else value
                for value, (_, kind) in zip(values, table.columns, strict=True)
            ]
            marks = ", ".join("?" for _ in texts)
            target.execute(f"INSERT INTO {table.name} VALUES ({marks})", texts)  # noqa: S608
        except (sqlite3.Error, UnicodeError):
            return False
        return True

    def _runs_of(self, table: Table, rows: Mapping[int, Values], kept: Kept) -> dict[int, int]:
        if table.name == RUNS:
            return {row: row for row in (*kept, *rows)}
        above = {} if table.parent_table is None else self._runs[table.parent_table]
        names = [name for name, _ in table.columns]
        place = None if table.parent is None else names.index(table.parent)
        read = {} if place is None else {row: values[place] for row, values in rows.items()}
        parents = {**read, **{row: parent for row, (parent, *_) in kept.items()}}
        return {
            row: above.get(parent, NO_RUN) if isinstance(parent, int) else NO_RUN
            for row, parent in parents.items()
        }

    def _note_lost(self, table: Table, lost: set[int], *, unsure: bool) -> None:
        runs = {self._runs[table.name].get(row, NO_RUN) for row in lost}
        self._cut |= runs
        self._all_cut |= unsure or (NO_RUN in runs and table.parent is not None)

    def _finish(self, target: sqlite3.Connection, has_sums: bool) -> None:
        """Bring the new store up to date, mark its runs, and give every row a new sum."""
        runs = self._saved.get(RUNS, set())
        self._cut = set(runs) if self._all_cut else self._cut & runs
        target.executemany(
            "UPDATE runs SET status = 'interrupted' WHERE run_id = ?",
            [(run,) for run in self._cut],
        )
        _keep_numbers(self.source.connection, target)
        for migration in MIGRATIONS[self.source.version :]:
            migration(target)
        salt = read_salt(target)
        assert salt is not None
        add_function(target, salt)
        seal(target, tables_of(target))
        target.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        target.execute("COMMIT")


def _is_as_kept(
    salt: int, table: Table, values: Sequence[object], kept: tuple[int, int, int] | None
) -> bool:
    if kept is None or not 0 < kept[1] <= len(values):
        return False
    plain = [value for value in values[: kept[1]] if isinstance(value, int | float | bytes | None)]
    return len(plain) == kept[1] and row_sum(salt, table.name, *plain) == kept[2]


def _keep_numbers(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """A number that a run has once had names no other one."""
    try:
        numbers = source.execute("SELECT seq, name FROM sqlite_sequence").fetchall()
        target.executemany("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", numbers)
    except sqlite3.Error:
        return
