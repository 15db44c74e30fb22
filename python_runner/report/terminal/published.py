"""The table of a published study in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from python_runner.analyse.published import PublishedTable
from python_runner.report.terminal.layout import NOTE, QUIET
from python_runner.report.words.published import (
    APART,
    WHOSE,
    head_of,
    is_number,
    remarks,
    spelled,
    whose,
)
from python_runner.study.published import Column

_WIDEST = 24


def published_report(table: PublishedTable) -> RenderableType:
    """Ours and the original's rows; the original's stand in grey."""
    return Group(
        Padding(Text(table.title, style="bold"), (1, 0, 0, 0)), _rows(table), *_below(table)
    )


def _rows(table: PublishedTable) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for one in table.columns:
        # Heads break between words; where the table is too wide, names do too, and figures never.
        if is_number(table, one):
            head = head_of(one).replace(" ", "\n")
            drawn.add_column(head, justify="right", no_wrap=True, width=_width(table, one))
        else:
            drawn.add_column(head_of(one), overflow="fold", max_width=_width(table, one))
    drawn.add_column(WHOSE, width=len(APART), no_wrap=True)
    for row in table.rows:
        cells = [Text(spelled(row.values.get(one.key))) for one in table.columns]
        style = "" if row.is_ours else QUIET
        drawn.add_row(*cells, Text(whose(row)), style=style)
    return drawn


def _width(table: PublishedTable, one: Column) -> int:
    values = [spelled(row.values.get(one.key)) for row in table.rows]
    return min(max(len(text) for text in (*values, *head_of(one).split())), _WIDEST)


def _below(table: PublishedTable) -> Iterator[RenderableType]:
    for remark in remarks(table):
        yield Text(remark, style=NOTE)
