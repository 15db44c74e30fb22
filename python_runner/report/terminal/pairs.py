"""What may be said about the stacks of a run, two by two."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from python_runner.analyse.compare import Verdict, mark_outliers, pairs_of_run
from python_runner.analyse.compare.verdict import ALPHA
from python_runner.analyse.latency import request_metrics
from python_runner.report.terminal.layout import NOTE, QUIET, Column, FittingTable
from python_runner.report.units import MISSING, TIMES, TO, spell_percent, spell_ratio

_MOST_SHOWN = 6
"""All pairs of four stacks."""
_BUSY = 0.15
"""A floor that a machine with nothing else to do does not reach."""
_SIDES = ("left", "right")
_LEAST_P = 0.001
_MIDDLE = 76
_CLEAR = (Verdict.FASTER.value, Verdict.SLOWER.value)


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
    yield from _outliers(samples, conditions)
    yield Text(" ".join(_legend(pairs, shown)), style=QUIET)
    yield Text()


def verdict_words(row: Mapping[Any, Any]) -> str:
    """`Ollama is slower`, `no difference`, `not known`: about the left of a pair."""
    verdict = str(row["verdict"])
    return f"{row['title_left']} is {verdict}" if verdict in _CLEAR else verdict


def floor_words(pairs: pd.DataFrame) -> str:
    """The noise floors of these pairs, and where they come from."""
    known = pairs[["noise_floor", "floor_source"]].drop_duplicates().to_dict(orient="records")
    floors = (f"{spell_percent(row['noise_floor'])} ({row['floor_source']})" for row in known)
    words = f"Noise floor of this machine: {', '.join(floors)}."
    if pairs["noise_floor"].max() > _BUSY:
        words += (
            " It was not quiet: what it did to the stacks hides what they differ by. Repeat the "
            "run with nothing else on it."
        )
    return words


def spell_p(p: float) -> str:
    """`0.012`, `<0.001`, or a dash for NaN."""
    if not math.isfinite(p):
        return MISSING
    return f"<{_LEAST_P}" if p < _LEAST_P else f"{p:.3f}"


def spell_ratios(low: float, high: float) -> str:
    """`1.03-1.09` with an en dash and a multiplication sign; a dash for NaN."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return MISSING
    return f"{low:.2f}{TO}{high:.2f}{TIMES}" if high < 10 else f"{low:.1f}{TO}{high:.1f}{TIMES}"


def _outliers(samples: pd.DataFrame, conditions: pd.DataFrame) -> Iterator[Text]:
    measured = request_metrics(samples)
    marked = measured[mark_outliers(measured, "e2e_ms")]
    found = []
    for row in conditions.to_dict(orient="records"):
        mine = marked[marked["condition_id"] == row["condition_id"]]
        if len(mine):
            numbers = ", ".join(str(number) for number in mine["iteration"])
            found.append(f"{row['title']} iteration {numbers}")
    if found:
        yield Text(f"Outliers, marked and kept: {'; '.join(found)}.", style=NOTE)


def _legend(pairs: pd.DataFrame, shown: pd.DataFrame) -> Iterator[str]:
    alpha = float(pairs["alpha"].iloc[0])
    sure = spell_percent(1 - alpha)
    yield f"Ratio of E2E latency, upper stack over lower one, below it its {sure} interval."
    if len(pairs) > 1:
        yield f"p: permutation test, corrected for {len(pairs)} pairs (Holm)."
    else:
        yield "p: permutation test."
    if alpha < ALPHA:
        yield (
            "This run was looked at several times while it grew: test and interval have only "
            f"{spell_percent(alpha)} of error to spend."
        )
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
        style=lambda row: "bold" if row["verdict"] in _CLEAR else "",
        may_wrap=True,
    ),
)
