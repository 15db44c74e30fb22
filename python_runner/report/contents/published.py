"""The table of a published study as a part of a report."""

from __future__ import annotations

from collections.abc import Sequence

from python_runner.analyse.published import PublishedTable, Row
from python_runner.report.contents.cells import column, numbers
from python_runner.report.document import Cell, Paragraph, Points, Section, Table, Tone
from python_runner.report.document import Column as DocumentColumn
from python_runner.report.units import MISSING
from python_runner.report.words.published import (
    WHOSE,
    head_of,
    is_number,
    remarks,
    spelled,
    whose,
)
from python_runner.study.published import Column


def published_section(table: PublishedTable) -> Section:
    """The table, and what has to be said of it."""
    text = (
        "In the shape of the original: the same columns in the same order. Its figures stand "
        "beside ours, and are marked where machine or model are not the same."
    )
    return Section(
        key="study",
        title=table.title,
        blocks=[Paragraph(text=text), _table(table), Points(items=list(remarks(table)))],
    )


def distinct(tables: Sequence[PublishedTable | None]) -> list[PublishedTable]:
    """Each table once, for runs that share one."""
    found: list[PublishedTable] = []
    for table in tables:
        if table is not None and table not in found:
            found.append(table)
    return found


def _table(table: PublishedTable) -> Table:
    return Table(
        columns=[*(_column(table, one) for one in table.columns), column(WHOSE)],
        rows=[[*(_cell(row, one) for one in table.columns), _whose(row)] for row in table.rows],
        caption=table.title,
    )


def _column(table: PublishedTable, one: Column) -> DocumentColumn:
    meaning = "the original does not have this column" if one.added else ""
    return (numbers if is_number(table, one) else column)(head_of(one), meaning)


def _cell(row: Row, one: Column) -> Cell:
    value = row.values.get(one.key)
    if value is None:
        note = row.lack if row.is_ours else "the original does not say"
        return Cell(text=MISSING, tone=Tone.UNKNOWN, note=note or "not known")
    return Cell(text=spelled(value), value=None if isinstance(value, str) else float(value))


def _whose(row: Row) -> Cell:
    return Cell(
        text=whose(row),
        note=row.not_comparable or row.lack,
        tone=Tone.UNKNOWN if row.not_comparable else Tone.PLAIN,
    )
