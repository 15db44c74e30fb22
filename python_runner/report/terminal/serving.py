"""The price of serving, as a table: each served stack beside the same engine in process."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from python_runner.analyse.serving import price_of_serving
from python_runner.engines.table import embedded_twins
from python_runner.report.terminal.layout import NOTE, QUIET, Column, FittingTable
from python_runner.report.units import MISSING, TO, spell_ratio
from python_runner.report.words.serving import SERVING_LEGEND, one_row_each

_TITLE = "The price of serving: the same engine served and embedded"
_MIDDLE = 76


def serving_table(samples: pd.DataFrame, conditions: pd.DataFrame) -> Iterator[RenderableType]:
    """The table and how to read it; nothing for a run that has no engine in both ways."""
    prices = price_of_serving(samples, conditions, embedded_twins())
    if prices.empty:
        return
    yield Text(_TITLE, style="bold")
    yield FittingTable(columns=_COLUMNS, rows=one_row_each(prices))
    yield Text(f"{SERVING_LEGEND}\n", style=QUIET)


def _ratio(name: str, row: Mapping[Any, Any]) -> tuple[str, str]:
    low, high = row[f"{name}_ratio_low"], row[f"{name}_ratio_high"]
    if not math.isfinite(row[f"{name}_ratio"]):
        return MISSING, ""
    interval = f"{low:.2f}{TO}{high:.2f}" if math.isfinite(low) else ""
    return spell_ratio(row[f"{name}_ratio"]), interval


def _said(row: Mapping[Any, Any]) -> tuple[str, str]:
    return row["e2e_verdict"], row["e2e_reason"]


_COLUMNS = (
    Column(
        header="served / embedded",
        cell=lambda row: (row["title_left"], row["title_right"]),
        justify="left",
        style=lambda _row: "bold",
        may_wrap=True,
    ),
    Column(header="E2E", cell=lambda row: _ratio("e2e", row)),
    Column(header="TTFT", cell=lambda row: _ratio("ttft", row), from_width=_MIDDLE),
    Column(header="TPOT", cell=lambda row: _ratio("tpot", row), from_width=_MIDDLE),
    Column(
        header="served is (E2E)",
        cell=_said,
        justify="left",
        style=lambda row: NOTE if row["e2e_verdict"] == "not known" else "",
        may_wrap=True,
    ),
)
