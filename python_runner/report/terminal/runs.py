"""The list of stored runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
from rich.console import RenderableType
from rich.text import Text

from python_runner.analyse.answers import with_answers
from python_runner.analyse.load.overview import loads_overview
from python_runner.analyse.overview import runs_overview
from python_runner.report.facts import model_label
from python_runner.report.terminal.layout import NOTE, QUIET, Column, FittingTable
from python_runner.report.units import spell_time
from python_runner.store import Frames, RunKind

_WIDE = 96


def runs_table(frames: Frames, resumable: Collection[int] = ()) -> RenderableType:
    """All runs, the newest last, with what came out of each; `resumable` ones can go on.

    Of requests of loads, their outcomes are enough (`read_frames`, `only_outcomes`).
    """
    runs, conditions = frames.runs, with_answers(frames.conditions, frames.answers)
    if runs.empty:
        return Text("No runs yet. `polystack compare` makes the first one.", style=QUIET)
    is_load = runs["kind"] == RunKind.LOAD
    overview = pd.concat(
        [
            runs_overview(frames.samples, conditions, runs[~is_load]),
            loads_overview(frames.load_requests, frames.load_levels, conditions, runs[is_load]),
        ]
    )
    rows = runs.merge(overview, on="run_id")
    rows["model_label"] = [
        model_label(conditions[conditions["run_id"] == run_id]) for run_id in rows["run_id"]
    ]
    can_go_on = rows["run_id"].isin(list(resumable))
    return FittingTable(columns=_COLUMNS, rows=rows.assign(can_go_on=can_go_on))


def _date(row: Mapping[Any, Any]) -> tuple[str, str]:
    day, _, time = str(row["created"]).partition("T")
    return day, f"{time[:5]} UTC" if time else ""


def _samples(row: Mapping[Any, Any]) -> tuple[str, str]:
    left_out = f"{row['n_left_out']} left out" if row["n_left_out"] else ""
    return str(row["n_complete"]), left_out


def _status_style(row: Mapping[Any, Any]) -> str:
    return "" if row["status"] == "complete" else NOTE


def _status(row: Mapping[Any, Any]) -> tuple[str, str]:
    missing = row["n_without_result"]
    if row["can_go_on"]:
        return "interrupted", "can go on"
    return row["status"], f"{missing} without result" if missing else ""


def _fastest(row: Mapping[Any, Any]) -> tuple[str, str]:
    if not row["fastest"]:
        return "none", ""
    return row["fastest"], f"fastest, {spell_time(row['fastest_e2e_ms'])}"


def _steps(row: Mapping[Any, Any]) -> tuple[str, str]:
    if row["users"]:
        return f"{', '.join(f'{users:,}' for users in row['users'])} users", "closed loop"
    if row["rates"]:
        return f"{', '.join(f'{rate:g}' for rate in row['rates'])} req/s", "open loop"
    return "none", ""


_OUTCOMES = {RunKind.COMPARISON: _fastest, RunKind.LOAD: _steps}


def _outcome(row: Mapping[Any, Any]) -> tuple[str, str]:
    return _OUTCOMES[RunKind(row["kind"])](row)


_COLUMNS = (
    Column(header="run", cell=lambda row: (str(row["run_id"]), ""), style=lambda _row: "bold"),
    Column(header="date", cell=_date, justify="left"),
    Column(
        header="study, model",
        cell=lambda row: (row["study"], row["model_label"]),
        justify="left",
        may_wrap=True,
    ),
    Column(
        header="stacks",
        cell=lambda row: (row["stacks"], ""),
        justify="left",
        may_wrap=True,
        from_width=_WIDE,
    ),
    Column(header="outcome", cell=_outcome, justify="left", may_wrap=True),
    Column(header="samples", cell=_samples),
    Column(header="status", cell=_status, justify="left", style=_status_style),
)
