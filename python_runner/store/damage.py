"""Which rows of a run are not what was written, or are gone.

Found when a run is read, from the checksums of its rows (`store.sums`); what is found stands in
the temporary table `damaged`, and the queries of `store.frames` leave those rows out.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from python_runner.store.sums import SUMS, Table, tables_of

RUNS = "runs"
NO_RUN = 0
"""Stands for the run of rows that belong to none."""
_GIVEN = "(SELECT value FROM json_each(?))"
_PREPARE = "CREATE TEMP TABLE IF NOT EXISTS damaged (name TEXT NOT NULL, row INTEGER NOT NULL)"


def is_sound(name: str, row: str) -> str:
    """The SQL condition that the row number `row` of the table `name` was not found damaged."""
    return f"{row} NOT IN (SELECT row FROM temp.damaged WHERE name = '{name}')"  # noqa: S608 - names are ours


@dataclass(frozen=True, kw_only=True)
class Damage:
    """Rows that are left out."""

    rows: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Table to the numbers of rows that are there and wrong."""
    missing: Mapping[str, int] = field(default_factory=dict)
    """Table to the count of rows that are gone."""
    by_run: Mapping[int, int] = field(default_factory=dict)
    """Run to the count of both; NO_RUN: of rows that belong to no run."""

    def spelled(self) -> str:
        """`3 rows of run 2, 1 row of no run`."""
        return ", ".join(
            f"{count} {'row' if count == 1 else 'rows'} of {f'run {run}' if run else 'no run'}"
            for run, count in sorted(self.by_run.items())
        )

    def __bool__(self) -> bool:
        return bool(self.by_run)


def find_damage(
    connection: sqlite3.Connection, run_ids: Collection[int] | None, *, unread: Collection[str] = ()
) -> Damage:
    """Hold all rows of these runs, and those of no run, against their sums.

    Call it in the transaction in which the rows are read. The table `temp.damaged` has what was
    found afterwards.

    Args:
        connection: with the function `row_sum`.
        run_ids: of the runs; None: all.
        unread: tables that nobody is going to read.
    """
    rows: dict[str, frozenset[int]] = {}
    missing: Counter[str] = Counter()
    by_run: Counter[int] = Counter()
    run_of: dict[str, dict[int, int]] = {}
    for table in tables_of(connection):
        if table.name in unread:
            continue
        found = _held(connection, table, _parents(table, run_of), run_ids)
        bad = found.wrong()
        runs = found.runs(table, run_of)
        run_of[table.name] = runs
        rows[table.name] = frozenset(bad)
        missing[table.name] = len(found.kept.keys() - found.parents.keys())
        by_run.update(runs[row] for row in {*bad, *(found.kept.keys() - found.parents.keys())})
    _keep(connection, rows)
    return Damage(
        rows={name: bad for name, bad in rows.items() if bad},
        missing={name: count for name, count in missing.items() if count},
        by_run=dict(by_run),
    )


@dataclass(frozen=True, kw_only=True)
class _Held:
    """Rows of one table beside their sums."""

    parents: Mapping[int, int]
    """Row to its parent, of rows that are there."""
    twice: frozenset[int]
    """Rows that were met more than once."""
    kept: Mapping[int, tuple[int, object, object]]
    """Row to parent, columns and sum, as they were kept when it was written."""
    now: Mapping[object, Mapping[int, int]]
    """Count of columns to row to the sum that it has."""

    def wrong(self) -> set[int]:
        """Rows that are there and not what was written."""
        return {row for row in self.parents if row in self.twice or not self._fits(row)}

    def runs(self, table: Table, run_of: Mapping[str, Mapping[int, int]]) -> dict[int, int]:
        """Row to its run, of all that are there or should be."""
        parents = {**{row: kept[0] for row, kept in self.kept.items()}, **self.parents}
        if table.name == RUNS:
            return {row: row for row in parents}
        above = {} if table.parent_table is None else run_of.get(table.parent_table, {})
        return {row: above.get(parent, NO_RUN) for row, parent in parents.items()}

    def _fits(self, row: int) -> bool:
        kept = self.kept.get(row)
        return kept is not None and self.now.get(kept[1], {}).get(row) == kept[2]


def _parents(table: Table, run_of: Mapping[str, Mapping[int, int]]) -> Sequence[int]:
    if table.parent_table is None:
        return [0]
    return list(run_of.get(table.parent_table, {}))


def _held(
    connection: sqlite3.Connection,
    table: Table,
    above: Sequence[int],
    run_ids: Collection[int] | None,
) -> _Held:
    parents = json.dumps(above)
    only = ""
    if table.name == RUNS and run_ids is not None:
        only = f" AND row IN ({', '.join(map(str, run_ids)) or 'NULL'})"
    kept = connection.execute(
        f"SELECT row, parent, columns, sum FROM {SUMS} WHERE name = ?"  # noqa: S608 - ours
        f" AND parent IN {_GIVEN}{only}",
        (table.name, parents),
    ).fetchall()
    # Without coalesce(), so that an index is used.
    where = f"{table.parent or 0} IN {_GIVEN}{only.replace('row', 'rowid')}"
    there = connection.execute(
        f"SELECT rowid, {table.parent_of()} FROM {table.name} WHERE {where}",  # noqa: S608 - ours
        (parents,),
    ).fetchall()
    return _Held(
        parents=dict(there),
        twice=_twice(row for row, _ in there),
        kept={row: (parent, columns, kept_sum) for row, parent, columns, kept_sum in kept},
        now=_sums(connection, table, where, parents, {columns for _, _, columns, _ in kept}),
    )


def _sums(
    connection: sqlite3.Connection, table: Table, where: str, parents: str, counts: set[object]
) -> dict[object, dict[int, int]]:
    possible = range(1, len(table.columns) + 1)
    found: dict[object, dict[int, int]] = defaultdict(dict)
    for count in possible:
        if count in counts:
            rows = connection.execute(
                f"SELECT rowid, {table.sum_of(count=count)} FROM {table.name}"  # noqa: S608 - ours
                f" WHERE {where}",
                (parents,),
            )
            found[count] = dict(rows.fetchall())
    return found


def _twice(rows: Iterable[int]) -> frozenset[int]:
    return frozenset(row for row, times in Counter(rows).items() if times > 1)


def _keep(connection: sqlite3.Connection, rows: Mapping[str, Collection[int]]) -> None:
    connection.execute(_PREPARE)
    connection.execute("DELETE FROM temp.damaged")
    connection.executemany(
        "INSERT INTO temp.damaged VALUES (?, ?)",
        [(name, row) for name, bad in rows.items() for row in bad],
    )
