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
from python_runner.analyse.latency import NAN, Outcome, request_metrics
from python_runner.report.facts import each_once, shorten
from python_runner.report.terminal.layout import NOTE, QUIET, Column, FittingTable
from python_runner.report.terminal.stages import stage_lines
from python_runner.report.terminal.summary import summary_report
from python_runner.report.units import spell_bytes, spell_number, spell_time

_HASH_DIGITS = 16
_WIDE = 96
_MS_PER_S = 1000.0
_MIDDLE = 76
_UNKNOWN = "not known"
"""Of a server that somebody else has started; numbers are 0 then."""
_COMMON = ("precision", "device", "threads", "context", "slots", "template", "sampling")


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


def condition_pairs(conditions: pd.DataFrame, run: Mapping[Any, Any]) -> dict[str, str]:
    """What all stacks of a run have in common, and the machine."""
    host = run["host"]
    hashes = (str(value)[:_HASH_DIGITS] for value in conditions["source_sha256"])
    return {
        "study": str(run["study"]),
        "status": str(run["status"]),
        "started": str(run["created"]),
        "program": f"polystack {run['program_version']}",
        "model": each_once(conditions["model"]),
        "weights, sha256": each_once(hashes),
        **{name: each_once(value or _UNKNOWN for value in conditions[name]) for name in _COMMON},
        "prompt cache": each_once(conditions["prompt_cache"]),
        "processor": str(host.get("cpu") or "unknown"),
        "cores": str(host.get("cores", "unknown")),
        "memory": spell_bytes(float(host.get("memory_bytes", NAN))),
        "system": f"{host.get('os', 'unknown')}, Python {host.get('python', 'unknown')}",
    }


def _stacks(measured: pd.DataFrame, conditions: pd.DataFrame) -> Iterator[RenderableType]:
    for row in conditions.to_dict(orient="records"):
        version = row["version"] or "(never started)"
        yield title(f"{row['title']} {version}, {row['language']}, {row['reach']}")
        yield pairs(stack_pairs(row))
        mine = measured[measured["condition_id"] == row["condition_id"]]
        if len(mine):
            yield Padding(FittingTable(columns=_COLUMNS, rows=mine), (0, 0, 0, 1))


def stack_pairs(row: Mapping[Any, Any]) -> dict[str, str]:
    """What is known of one stack: a row of the conditions."""
    return {
        "error": str(row["error"]),
        "load": _load(row),
        "peak memory": spell_bytes(row["peak_memory_bytes"]),
        **{str(name): str(value) for name, value in row["build"].items()},
    }


def _load(row: Mapping[Any, Any]) -> str:
    """The median load, and each of them if there were several."""
    loads = [spell_time(seconds * _MS_PER_S) for seconds in row.get("loads") or ()]
    median = spell_time(row["load_seconds"] * _MS_PER_S)
    return f"{median} (median of {', '.join(loads)})" if len(loads) > 1 else median


def _iteration(row: Mapping[Any, Any]) -> tuple[str, str]:
    return (f"warm-up {row['iteration']}" if row["is_warmup"] else str(row["iteration"])), ""


def _tokens(row: Mapping[Any, Any]) -> tuple[str, str]:
    return f"{row['output_tokens']}/{row['requested_tokens']}", ""


def _longest_gap(row: Mapping[Any, Any]) -> tuple[str, str]:
    gaps = row["itl_ms"]
    return spell_time(float(gaps.max()) if gaps.size else NAN), ""


def _outcome(row: Mapping[Any, Any]) -> tuple[str, str]:
    if row["outcome"] == Outcome.FAILED.value:
        return f"failed: {shorten(row['failure'])}", ""
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
