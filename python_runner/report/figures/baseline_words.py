"""The baseline in words and numbers, for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from python_runner.report.answers import STRUCK
from python_runner.report.document import Cell, Column, Table, Tone
from python_runner.report.figures.words import (
    count_cell,
    path_column,
    stack_column,
    table_of,
    time_cell,
    time_column,
    words_cell,
)
from python_runner.report.paths import panels
from python_runner.report.units import MISSING, spell_range, spell_ratio, spell_time


def medians_in_words(stacks: pd.DataFrame) -> str:
    """What there is to see, path by path."""
    said: list[str] = []
    for panel in panels(stacks):
        parts = [_spoken(row) for row in panel.stacks.to_dict(orient="records")]
        said.append(f"{str(panel.reach).capitalize()}: {', '.join(parts)}.")
    return f"Median end-to-end latency, fastest first. {' '.join(said)}"


def _spoken(row: Mapping[Any, Any]) -> str:
    if row["struck"]:
        return f"{row['title']} {STRUCK}"
    if not np.isfinite(row["e2e_ms"]):
        return f"{row['title']} without a result"
    return f"{row['title']} {spell_time(row['e2e_ms'])}"


def medians_table(stacks: pd.DataFrame) -> Table:
    """The figures of each stack, embedded ones first."""
    columns = [
        stack_column(),
        path_column(),
        time_column("Median E2E"),
        Column(title="95% interval", meaning="of the median, by bootstrap"),
        Column(title="Middle half", meaning="from the 25th to the 75th percentile"),
        Column(title="Ratio", meaning="to the fastest of the same path", is_number=True),
        time_column("TTFT", "median"),
        time_column("TPOT", "median"),
        Column(title="Complete", meaning="timed iterations that figures stand on", is_number=True),
    ]
    rows = [list(_cells(row)) for row in _by_path(stacks)]
    return table_of(columns, rows, "Baseline: median end-to-end latency")


def _by_path(stacks: pd.DataFrame) -> Sequence[Mapping[Any, Any]]:
    return [row for panel in panels(stacks) for row in panel.stacks.to_dict(orient="records")]


def _cells(row: Mapping[Any, Any]) -> Iterator[Cell]:
    struck = str(row["struck"] or "")
    yield words_cell(f"{row['title']} {row['version']}".strip())
    yield words_cell(f"{row['language']} · {row['reach']}")
    yield time_cell(row["e2e_ms"], struck=struck)
    if struck:
        yield from [Cell(text=MISSING)] * 5
    else:
        yield words_cell(spell_range(row["e2e_low_ms"], row["e2e_high_ms"]))
        yield words_cell(spell_range(row["e2e_p25_ms"], row["e2e_p75_ms"]))
        ratio = float(row["ratio_to_fastest"])
        known = np.isfinite(ratio)
        yield Cell(
            text=spell_ratio(ratio),
            value=ratio if known else None,
            tone=Tone.PLAIN if known else Tone.UNKNOWN,
        )
        yield time_cell(row["ttft_ms"])
        yield time_cell(row["tpot_ms"])
    yield count_cell(row["n"])
