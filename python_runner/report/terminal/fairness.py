"""What was equal and what was not, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from python_runner.analyse.fairness import fairness_pairs, fairness_table
from python_runner.measure.fairness import Equality
from python_runner.report.terminal.layout import (
    NOTE,
    QUIET,
    WARNING,
    Column,
    FittingTable,
)
from python_runner.report.words.fairness import spell_fact, who_has_what


def fairness_section(conditions: pd.DataFrame) -> Iterator[RenderableType]:
    """The criteria of one run with a heading; nothing where stacks were not held together."""
    table = fairness_table(conditions)
    if table.empty:
        return
    is_blocking = table["blocks"].astype(bool)
    yield Text("\nMust be equal", style="bold")
    yield FittingTable(columns=_COLUMNS, rows=table[is_blocking])
    yield Text("Told", style="bold")
    yield FittingTable(columns=_COLUMNS, rows=table[~is_blocking])


def fairness_report(conditions: pd.DataFrame) -> RenderableType:
    """Every criterion for every pair of stacks of one run."""
    pairs = fairness_pairs(conditions)
    if pairs.empty:
        return Text("Of this run it was not kept what its stacks had in common.", style=NOTE)
    parts: list[RenderableType] = []
    for (left, right), mine in pairs.groupby(["left", "right"], sort=False):
        parts += [Text(f"\n{left}, {right}", style="bold"), FittingTable(columns=_PAIR, rows=mine)]
    return Group(*parts)


def _style(row: Mapping[Any, Any]) -> str:
    if row["equality"] == Equality.EQUAL.value:
        return ""
    is_unfair = row["blocks"] and row["equality"] == Equality.DIFFERENT.value
    return WARNING if is_unfair else NOTE


def _fact(side: str) -> Column:
    def cell(row: Mapping[Any, Any]) -> tuple[str, str]:
        fact = row[f"{side}_fact"]
        return spell_fact(fact) if isinstance(fact, str) else "not known", ""

    return Column(header=side, cell=cell, justify="left", may_wrap=True)


_CRITERION = Column(
    header="criterion",
    cell=lambda row: (str(row["criterion"]), ""),
    justify="left",
    style=lambda _row: QUIET,
    may_wrap=True,
)
_EQUALITY = Column(
    header="", cell=lambda row: (str(row["equality"]), ""), justify="left", style=_style
)
_COLUMNS = (
    _CRITERION,
    _EQUALITY,
    Column(
        header="who has what",
        cell=lambda row: (who_has_what(row), ""),
        justify="left",
        may_wrap=True,
    ),
)
_PAIR = (_CRITERION, _EQUALITY, _fact("left"), _fact("right"))
