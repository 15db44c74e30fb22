"""Everything about one run: table, conditions, and each stack's build and requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from python_runner.analyse.compare import mark_outliers
from python_runner.analyse.latency import NAN, NO_FIGURES, Outcome, request_metrics
from python_runner.report.facts import shorten
from python_runner.report.terminal.fairness import fairness_section
from python_runner.report.terminal.layout import NOTE, QUIET, Column, FittingTable
from python_runner.report.terminal.stages import stage_lines
from python_runner.report.terminal.summary import summary_report
from python_runner.report.units import spell_number, spell_time
from python_runner.report.words.conditions import condition_pairs, stack_pairs

_WIDE = 96
_MIDDLE = 76


def run_detail(
    samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame
) -> RenderableType:
    """The report of one run, its conditions, and the build and requests of each stack.

    Raises:
        UsageError: the frames hold no run, or several.
    """
    return Group(
        summary_report(samples, conditions, runs),
        *_stages_in_short(samples, conditions),
        title("Conditions"),
        pairs(condition_pairs(conditions, runs.to_dict(orient="records")[0])),
        *fairness_section(conditions),
        *_stacks(_marked(samples), conditions),
    )


def _marked(samples: pd.DataFrame) -> pd.DataFrame:
    measured = request_metrics(samples)
    return measured.assign(is_outlier=mark_outliers(measured, "e2e_ms"))


def _stages_in_short(samples: pd.DataFrame, conditions: pd.DataFrame) -> list[RenderableType]:
    lines = list(stage_lines(samples, conditions, is_short=True))
    return [title("Where the time goes (more by `polystack time`)"), *lines] if lines else []


def title(text: str) -> Text:
    """A heading, with a line of room above it."""
    return Text(f"\n{text}", style="bold")


def pairs(named: Mapping[str, str]) -> Padding:
    """Names and values side by side; what is empty is left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=QUIET, no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in named.items():
        if not value:
            continue
        grid.add_row(Text(name), Text(value))
    return Padding(grid, (0, 0, 0, 2))


def _stacks(measured: pd.DataFrame, conditions: pd.DataFrame) -> Iterator[RenderableType]:
    for row in conditions.to_dict(orient="records"):
        version = row["version"] or "(never started)"
        yield title(f"{row['title']} {version}, {row['language']}, {row['reach']}")
        yield pairs(stack_pairs(row))
        mine = measured[measured["condition_id"] == row["condition_id"]]
        if len(mine):
            yield Padding(FittingTable(columns=_COLUMNS, rows=mine), (0, 0, 0, 1))


def _iteration(row: Mapping[Any, Any]) -> tuple[str, str]:
    return (f"warm-up {row['iteration']}" if row["is_warmup"] else str(row["iteration"])), ""


def _tokens(row: Mapping[Any, Any]) -> tuple[str, str]:
    return f"{row['output_tokens']}/{row['requested_tokens']}", ""


def _longest_gap(row: Mapping[Any, Any]) -> tuple[str, str]:
    gaps = row["itl_ms"]
    return spell_time(float(gaps.max()) if gaps.size else NAN), ""


def _outcome(row: Mapping[Any, Any]) -> tuple[str, str]:
    if row["outcome"] in NO_FIGURES:
        return f"{row['outcome']}: {shorten(row['failure'])}", ""
    return row["outcome"] + (", outlier" if row["is_outlier"] else ""), ""


_COLUMNS = (
    Column(
        header="iteration",
        cell=_iteration,
        style=lambda row: QUIET if row["is_warmup"] else "",
    ),
    Column(header="block", cell=lambda row: (str(row["block"]), ""), from_width=_WIDE),
    Column(header="E2E", cell=lambda row: (spell_time(row["e2e_ms"]), "")),
    Column(header="TTFT", cell=lambda row: (spell_time(row["ttft_ms"]), "")),
    Column(header="TPOT", cell=lambda row: (spell_time(row["tpot_ms"]), "")),
    Column(header="longest gap", cell=_longest_gap, from_width=_WIDE),
    Column(
        header="tok/s",
        cell=lambda row: (spell_number(row["decode_tokens_per_s"]), ""),
        from_width=_WIDE,
    ),
    Column(header="tokens", cell=_tokens, from_width=_MIDDLE),
    Column(
        header="outcome",
        cell=_outcome,
        justify="left",
        style=lambda row: (
            "" if row["outcome"] == Outcome.COMPLETE.value and not row["is_outlier"] else NOTE
        ),
        may_wrap=True,
    ),
)
