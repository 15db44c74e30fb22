"""What may be said about the stacks of a run, two by two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from python_runner.analyse.compare import pairs_of_run
from python_runner.report.terminal.layout import NOTE, QUIET, Column, FittingTable
from python_runner.report.units import spell_percent, spell_ratio
from python_runner.report.words.pairs import (
    CLEAR,
    floor_words,
    how_tested,
    outlier_words,
    spell_p,
    spell_ratios,
    verdict_words,
)

_MOST_SHOWN = 6
"""All pairs of four stacks."""
_SIDES = ("left", "right")
_MIDDLE = 76


def pairs_report(
    samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame
) -> Iterator[RenderableType]:
    """The pairs of one run by E2E latency; nothing if it has fewer than two stacks to compare.

    Of many stacks each stands beside the fastest only.
    """
    pairs = pairs_of_run(samples, conditions, runs)
    if pairs.empty:
        return
    shown = pairs
    if len(pairs) > _MOST_SHOWN:
        shown = pairs[pairs["condition_id_right"] == pairs["condition_id_right"].iloc[0]]
    reaches = conditions.set_index("condition_id")["reach"]
    named = {f"reach_{side}": shown[f"condition_id_{side}"].map(reaches) for side in _SIDES}
    yield FittingTable(columns=_COLUMNS, rows=shown.assign(**named))
    yield Text(floor_words(pairs))
    if outliers := outlier_words(samples, conditions):
        yield Text(outliers, style=NOTE)
    yield Text(" ".join(_legend(pairs, shown)), style=QUIET)
    yield Text()


def _legend(pairs: pd.DataFrame, shown: pd.DataFrame) -> Iterator[str]:
    sure = spell_percent(1 - float(pairs["alpha"].iloc[0]))
    yield f"Ratio of E2E latency, upper stack over lower one, below it its {sure} interval."
    yield from how_tested(pairs)
    if len(shown) < len(pairs):
        yield f"Each stack beside the fastest; all {len(pairs)} pairs are in the export."


def _pair(row: Mapping[Any, Any]) -> tuple[str, str]:
    left, right = row["reach_left"], row["reach_right"]
    paths = "" if left == right else f" ({left} over {right})"
    return row["title_left"], f"over {row['title_right']}{paths}"


def _ratio(row: Mapping[Any, Any]) -> tuple[str, str]:
    return spell_ratio(row["ratio"]), spell_ratios(row["ratio_low"], row["ratio_high"])


_COLUMNS = (
    Column(header="pair", cell=_pair, justify="left", may_wrap=True),
    Column(header="ratio", cell=_ratio),
    Column(
        header="p",
        cell=lambda row: (spell_p(row["p_holm"]), ""),
        from_width=_MIDDLE,
    ),
    Column(
        header="what may be said",
        cell=lambda row: (verdict_words(row), row["reason"]),
        justify="left",
        style=lambda row: "bold" if row["verdict"] in CLEAR else "",
        may_wrap=True,
    ),
)
