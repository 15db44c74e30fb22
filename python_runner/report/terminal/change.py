"""What changed between two runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from python_runner.analyse.compare import RunChange
from python_runner.report.facts import shorten
from python_runner.report.terminal.layout import NOTE, QUIET, WARNING, Column, FittingTable
from python_runner.report.units import MISSING, spell_ratio, spell_time
from python_runner.report.words.pairs import (
    CHANGE_LEGEND,
    CLEAR,
    floor_words,
    spell_p,
    spell_ratios,
)

_LONGEST = 60
_MIDDLE = 76
_LEGEND = (
    f"Ratio of E2E latency, later run over earlier one, below it its 95 % interval. {CHANGE_LEGEND}"
)


def change_report(change: RunChange, runs: pd.DataFrame) -> RenderableType:
    """Conditions first, then the speed of every stack that both runs have.

    Args:
        change: from `change_between`.
        runs: the two runs, the earlier one first.
    """
    return Group(
        _heading(runs),
        *_conditions(change),
        *_speed(change),
        *(Text(f"{title} is not judged: {why}", style=NOTE) for title, why in _reasons(change)),
    )


def _heading(runs: pd.DataFrame) -> Text:
    before, after = (
        f"run {row['run_id']} ({str(row['created'])[:10]}, study {row['study']})"
        for row in runs.to_dict(orient="records")
    )
    return Text(f"From {before} to {after}", style="bold")


def _conditions(change: RunChange) -> Iterator[RenderableType]:
    if change.conditions.empty:
        yield Text("Nothing changed in the conditions.")
    else:
        yield FittingTable(columns=_CONDITIONS, rows=change.conditions)


def _speed(change: RunChange) -> Iterator[RenderableType]:
    if change.machine:
        yield Text(f"Nothing is judged: {change.machine}.", style=WARNING)
    elif len(change.speed):
        yield FittingTable(columns=_SPEED, rows=change.speed)
        yield Text(floor_words(change.speed))
        yield Text(_LEGEND, style=QUIET)
    elif not change.not_judged:
        yield Text("The runs have no stack in common.", style=WARNING)


def _reasons(change: RunChange) -> Iterator[tuple[str, str]]:
    if not change.machine:
        yield from change.not_judged.items()


def _value(row: Mapping[Any, Any], side: str) -> tuple[str, str]:
    return shorten(row[side], _LONGEST) or MISSING, ""


def _median(row: Mapping[Any, Any], side: str) -> tuple[str, str]:
    return spell_time(row[f"median_{side}"]), f"n = {row[f'n_{side}']}"


_CONDITIONS = (
    Column(
        header="what changed",
        cell=lambda row: (row["what"], row["stack"]),
        justify="left",
        may_wrap=True,
    ),
    Column(header="before", cell=lambda row: _value(row, "before"), justify="left", may_wrap=True),
    Column(header="after", cell=lambda row: _value(row, "after"), justify="left", may_wrap=True),
)
_SPEED = (
    Column(header="stack", cell=lambda row: (row["title_left"], ""), justify="left", may_wrap=True),
    Column(header="before", cell=lambda row: _median(row, "right")),
    Column(header="after", cell=lambda row: _median(row, "left")),
    Column(
        header="ratio",
        cell=lambda row: (
            spell_ratio(row["ratio"]),
            spell_ratios(row["ratio_low"], row["ratio_high"]),
        ),
    ),
    Column(header="p", cell=lambda row: (spell_p(row["p_holm"]), ""), from_width=_MIDDLE),
    Column(
        header="what may be said",
        cell=lambda row: (row["verdict"], row["reason"]),
        justify="left",
        style=lambda row: "bold" if row["verdict"] in CLEAR else "",
        may_wrap=True,
    ),
)
