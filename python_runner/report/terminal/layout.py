"""Tables that choose their columns by the width of the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from python_runner.engines.contract import Language
from python_runner.report.palette import LANGUAGES

QUIET = "grey50"
NOTE = "dark_goldenrod"
WARNING = "bold dark_orange3"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table.

    A cell may have two lines; the second is set in grey.
    """

    header: str
    cell: Callable[[Mapping[Any, Any]], tuple[str, str]]
    from_width: int = 0
    """The narrowest terminal, in characters, that shows this column."""
    justify: Literal["left", "right"] = "right"
    style: Callable[[Mapping[Any, Any]], str] = lambda _row: ""
    """Style of the first line."""
    may_wrap: bool = False


@dataclass(frozen=True, kw_only=True)
class FittingTable:
    """A rich renderable: the columns that there is room for."""

    columns: Sequence[Column]
    rows: pd.DataFrame | Sequence[Mapping[Any, Any]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = [column for column in self.columns if column.from_width <= options.max_width]
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for column in shown:
            table.add_column(
                column.header,
                justify=column.justify,
                no_wrap=not column.may_wrap,
                overflow="fold" if column.may_wrap else "ellipsis",
            )
        rows = self.rows
        for record in rows.to_dict(orient="records") if isinstance(rows, pd.DataFrame) else rows:
            table.add_row(*(_cell(column, record) for column in shown))
        yield table


def language_style(row: Mapping[Any, Any]) -> str:
    """The rich style of a row's language."""
    return LANGUAGES[Language(row["language"])].terminal


def _cell(column: Column, row: Mapping[Any, Any]) -> Text:
    first, second = column.cell(row)
    text = Text(first, style=column.style(row))
    return text.append(f"\n{second}", style=QUIET) if second else text
