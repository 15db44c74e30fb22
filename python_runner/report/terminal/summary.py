"""The table at the end of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from python_runner.analyse.lengths import may_end
from python_runner.analyse.summary import summarise
from python_runner.report.answers import STRUCK, struck_of
from python_runner.report.facts import RANDOM_WEIGHTS, RunFacts, run_facts
from python_runner.report.paths import panels
from python_runner.report.terminal.layout import (
    NOTE,
    QUIET,
    WARNING,
    Column,
    FittingTable,
    language_style,
)
from python_runner.report.terminal.pairs import pairs_report
from python_runner.report.terminal.serving import serving_table
from python_runner.report.units import (
    PLUS_MINUS,
    TO,
    spell_bytes,
    spell_error,
    spell_number,
    spell_range,
    spell_ratio,
    spell_time,
)

_WIDE = 96
_MIDDLE = 76
_MS_PER_S = 1000.0
_LEGEND = (
    "Ratio: to the fastest of the same path. "
    f"E2E latency: median of the n complete iterations, below it the middle half (p25{TO}p75). "
    "TTFT, TPOT, tok/s (tokens per second of decoding): medians. Load: process start to ready. "
    "Memory: peak resident."
)


def summary_report(
    samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame
) -> RenderableType:
    """The stacks of one run, embedded and served apart, with conditions, warnings and notes.

    Fits terminals from 60 columns on; from 96 on it shows everything.

    Raises:
        UsageError: the frames hold no run, or several.
    """
    summary = summarise(samples, conditions)
    facts = run_facts(samples, conditions, runs, summary)
    return Group(
        heading(facts),
        *_tables(summary, counts_tokens=may_end(samples)),
        *pairs_report(samples, conditions, runs),
        *serving_table(samples, conditions),
        *below(facts, _LEGEND),
    )


def _tables(summary: pd.DataFrame, *, counts_tokens: bool) -> Iterator[RenderableType]:
    """One table for each path, fastest first, under its caption.

    With `counts_tokens`, how long answers are is a column: where all have one length it is not.
    """
    columns = (*_COLUMNS[:-1], _TOKENS, _COLUMNS[-1]) if counts_tokens else _COLUMNS
    yield Text()
    for panel in panels(summary):
        yield Text(panel.caption, style="bold")
        yield FittingTable(columns=columns, rows=panel.stacks)


def heading(facts: RunFacts) -> Text:
    """The run and its model; random weights stand out."""
    title = Text(f"Run {facts.run_id}: {facts.model}", style="bold")
    title.highlight_regex(f"(?i){RANDOM_WEIGHTS}", WARNING)
    return title


def below(facts: RunFacts, legend: str) -> Iterator[Text]:
    """What stands under a table: warnings, conditions, what was left out, and how to read it."""
    for warning in facts.warnings:
        yield Text(warning, style=WARNING)
    yield Text(facts.work)
    yield Text(facts.course)
    if facts.clock:
        yield Text(facts.clock)
    if facts.answers:
        yield Text(facts.answers)
    for note in facts.notes:
        yield Text(note, style=NOTE)
    if legend:
        yield Text(legend, style=QUIET)


def _e2e(row: Mapping[Any, Any]) -> tuple[str, str]:
    if not row["n"]:
        return "no result", ""
    if struck_of(row):
        return spell_time(row["e2e_ms"]), STRUCK
    return spell_time(row["e2e_ms"]), spell_range(row["e2e_p25_ms"], row["e2e_p75_ms"])


def _ttft(row: Mapping[Any, Any]) -> tuple[str, str]:
    if struck_of(row):
        return "", ""
    error = row["ttft_own_error_ms"]
    is_known = math.isfinite(error) and math.isfinite(row["ttft_ms"])
    return spell_time(row["ttft_ms"]), f"{PLUS_MINUS} {spell_error(error)}" if is_known else ""


def _load(row: Mapping[Any, Any]) -> tuple[str, str]:
    return spell_time(row["load_seconds"] * _MS_PER_S), ""


def _count(row: Mapping[Any, Any]) -> tuple[str, str]:
    left_out = row["n_timed"] - row["n"]
    return str(row["n"]), f"of {row['n_timed']}" if left_out else ""


def _ratio(row: Mapping[Any, Any]) -> tuple[str, str]:
    ratio = row["ratio_to_fastest"]
    if struck_of(row):
        return "", ""
    return ("fastest" if ratio == 1 else spell_ratio(ratio)), ""


def _e2e_style(row: Mapping[Any, Any]) -> str:
    if struck_of(row):
        return "strike red"
    return "bold" if math.isfinite(row["e2e_ms"]) else "red"


def _counted(spell: Callable[[Mapping[Any, Any]], str]) -> Callable[..., tuple[str, str]]:
    """A figure, unless the stack's speed does not count."""
    return lambda row: ("" if struck_of(row) else spell(row), "")


_TOKENS = Column(header="tokens", cell=lambda row: (spell_number(row["output_tokens"]), ""))
_COLUMNS = (
    Column(
        header="stack",
        cell=lambda row: (row["title"], row["version"]),
        justify="left",
        style=lambda _row: "bold",
        may_wrap=True,
    ),
    Column(
        header="language",
        cell=lambda row: (row["language"], row["reach"]),
        justify="left",
        style=language_style,
    ),
    Column(
        header="E2E latency",
        cell=_e2e,
        style=_e2e_style,
    ),
    Column(header="ratio", cell=_ratio, from_width=_WIDE),
    Column(header="TTFT", cell=_ttft),
    Column(header="TPOT", cell=_counted(lambda row: spell_time(row["tpot_ms"]))),
    Column(
        header="tok/s",
        cell=_counted(lambda row: spell_number(row["decode_tokens_per_s"])),
        from_width=_MIDDLE,
    ),
    Column(header="load", cell=_load, from_width=_WIDE),
    Column(
        header="memory",
        cell=lambda row: (spell_bytes(row["peak_memory_bytes"]), ""),
        from_width=_MIDDLE,
    ),
    Column(header="n", cell=_count),
)
