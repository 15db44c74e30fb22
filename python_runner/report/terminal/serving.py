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

_TITLE = "The price of serving: the same engine served and embedded"
_LEGEND = (
    "Times of the served stack over those of the embedded one, with 95% interval (docs/methodology"
    ".md, Comparing stacks). Not HTTP alone: what the two do differently stands on their pages in "
    "docs/engines."
)
_MIDDLE = 76
_NAMES = {"e2e_ms": "e2e", "ttft_ms": "ttft", "tpot_ms": "tpot"}


def serving_table(samples: pd.DataFrame, conditions: pd.DataFrame) -> Iterator[RenderableType]:
    """The table and how to read it; nothing for a run that has no engine in both ways."""
    prices = price_of_serving(samples, conditions, embedded_twins())
    if prices.empty:
        return
    yield Text(_TITLE, style="bold")
    yield FittingTable(columns=_COLUMNS, rows=one_row_each(prices))
    yield Text(f"{_LEGEND}\n", style=QUIET)


def one_row_each(prices: pd.DataFrame) -> pd.DataFrame:
    """One row for each pair: `title_left`, `title_right`, and for each metric its columns.

    Those are ratio, ratio_low, ratio_high, verdict and reason, with the metric's short name
    before them: `ttft_ratio`.
    """
    figures = ("ratio", "ratio_low", "ratio_high", "verdict", "reason")
    parts = [
        prices.loc[prices["metric"] == metric, [*_PAIR, *figures]].rename(
            columns={figure: f"{name}_{figure}" for figure in figures}
        )
        for metric, name in _NAMES.items()
    ]
    first, *others = parts
    for other in others:
        first = first.merge(other, on=_PAIR)
    return first


_PAIR = ["condition_id_left", "condition_id_right", "title_left", "title_right"]


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
