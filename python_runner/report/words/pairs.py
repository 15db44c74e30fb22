"""What may be said about two stacks, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.compare import Verdict, mark_outliers
from python_runner.analyse.compare.verdict import ALPHA
from python_runner.analyse.latency import request_metrics
from python_runner.report.units import MISSING, TIMES, TO, spell_percent
from python_runner.report.words.time import CROWDED

CLEAR = (Verdict.FASTER.value, Verdict.SLOWER.value)
_LEAST_P = 0.001
CHANGE_LEGEND = (
    "Two runs are never measured in turns, so the noise floor is at least 10 %: what is less "
    "cannot be told from what the machine did in between."
)


def verdict_words(row: Mapping[Any, Any]) -> str:
    """`Ollama is slower`, `no difference`, `not known`: about the left of a pair."""
    verdict = str(row["verdict"])
    return f"{row['title_left']} is {verdict}" if verdict in CLEAR else verdict


def floor_words(pairs: pd.DataFrame) -> str:
    """The noise floors of these pairs, and where they come from."""
    known = pairs[["noise_floor", "floor_source"]].drop_duplicates().to_dict(orient="records")
    floors = (f"{spell_percent(row['noise_floor'])} ({row['floor_source']})" for row in known)
    words = f"Noise floor of this machine: {', '.join(floors)}."
    if was_busy(pairs):
        words += (
            " It was not quiet: what it did to the stacks hides what they differ by. Repeat the "
            "run with nothing else on it."
        )
    return words


def was_busy(pairs: pd.DataFrame) -> bool:
    """Whether a noise floor is higher than a machine with nothing else to do has it."""
    return bool(pairs["noise_floor"].max() > CROWDED)


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


def outlier_words(samples: pd.DataFrame, conditions: pd.DataFrame) -> str:
    """Which requests are outliers, as a sentence; empty if none is."""
    measured = request_metrics(samples)
    marked = measured[mark_outliers(measured, "e2e_ms")]
    found = []
    for row in conditions.to_dict(orient="records"):
        mine = marked[marked["condition_id"] == row["condition_id"]]
        if len(mine):
            numbers = ", ".join(str(number) for number in mine["iteration"])
            found.append(f"{row['title']} iteration {numbers}")
    return f"Outliers, marked and kept: {'; '.join(found)}." if found else ""


def how_tested(pairs: pd.DataFrame) -> Iterator[str]:
    """How `pairs` were tested, as sentences."""
    alpha = float(pairs["alpha"].iloc[0])
    if len(pairs) > 1:
        yield f"p: permutation test, corrected for {len(pairs)} pairs (Holm)."
    else:
        yield "p: permutation test."
    if alpha < ALPHA:
        yield (
            "This run was looked at several times while it grew: test and interval have only "
            f"{spell_percent(alpha)} of error to spend."
        )
