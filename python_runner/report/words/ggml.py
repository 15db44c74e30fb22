"""Stacks on ggml beside each other, in rows and words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from python_runner.engines.contract import Reach
from python_runner.report.units import spell_number, spell_share

METRIC_NAMES = {"e2e_ms": "E2E latency", "ttft_ms": "TTFT", "tpot_ms": "TPOT"}
GGML_HEADINGS = {
    Reach.EMBEDDED: "In process: ratio to llama.cpp",
    Reach.SERVED: "Served: ratio to llama.cpp in process, so serving is in it",
}
GGML_LEGEND = (
    "Ratios above 1: slower than the other, or longer; with them the 95 % interval of that one "
    "pair. The verdict is on E2E latency, corrected for all pairs here. A bound is the end of the "
    "interval that is farther from 1."
)
_ALONE = "nothing that this workbench records"


def bound_in_words(row: Mapping[Any, Any]) -> str:
    """What a step supports, and what else differs between the two stacks."""
    left, right = row["title_left"], row["title_right"]
    parts = [
        f"{_bound(row[f'at_most_{metric}'])} of {name}"
        for metric, name in METRIC_NAMES.items()
        if math.isfinite(row[f"at_most_{metric}"])
    ]
    if not parts:
        return f"not known, too few complete requests of {left} or {right}."
    others = ", ".join(row["differs"]) or _ALONE
    return f"worth at most {', '.join(parts)} ({left} beside {right}; differing in {others})."


def _bound(value: float) -> str:
    """`4.2%`; from twice on a factor says more."""
    return f"a factor {spell_number(1 + value)}" if value >= 1 else spell_share(value)


def holders_of(rows: pd.DataFrame) -> str:
    """Each value, and who has it."""
    return "\n".join(
        f"{value or 'not said'}: {'; '.join(titles)}"
        for value, titles in zip(rows["value"], rows["titles"], strict=True)
    )


def one_row_each(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """One row for each pair, with the figures of each metric in columns of their own."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows.to_dict(orient="records"):
        one = found.setdefault(str(row[name]), {str(key): value for key, value in row.items()})
        one["name"] = row[name]
        for figure in ("ratio", "ratio_low", "ratio_high", "verdict", "at_most"):
            if figure in row:
                one[f"{figure}_{row['metric']}"] = row[figure]
    return pd.DataFrame(list(found.values()))
