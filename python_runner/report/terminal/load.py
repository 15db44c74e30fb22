"""The table at the end of a load: one row for each level of each stack."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType

from python_runner.report.facts import RunFacts
from python_runner.report.load_data import LoadData, load_words
from python_runner.report.load_facts import load_facts
from python_runner.report.terminal.layout import Column, FittingTable, language_style
from python_runner.report.terminal.summary import below, heading
from python_runner.report.units import (
    PLUS_MINUS,
    spell_number,
    spell_share,
    spell_sure_time,
    spell_time,
)

UNSURE = "~"
"""Stands before a percentile of too few requests."""
_WIDE = 92
_NARROW = 76
_MIDDLE = 86
_WIDEST = 112

Cell = Callable[[Mapping[Any, Any]], tuple[str, str]]


def load_report(data: LoadData) -> RenderableType:
    """The levels of one run, in the order of measurement, with conditions, warnings and notes.

    Fits terminals from 60 columns on; from 112 on it shows everything.
    """
    facts = load_facts(data)
    if data.levels.empty:
        return Group(heading(facts), *below(facts, ""))
    table = FittingTable(columns=_columns(data), rows=data.levels)
    return Group(heading(facts), table, *below(facts, "".join(_legend(data, facts))))


def _legend(data: LoadData, facts: RunFacts) -> Iterator[str]:
    yield (
        "TTFT, ITL, TPOT, E2E latency: p50, below it p99, of the n requests that lie in the "
        "steady part of a level. "
    )
    if data.is_open:
        yield "TTFT and E2E latency count from the time at which a request was due. "
    if facts.clock and data.levels["ttft_p50_own_error_ms"].notna().any():
        yield f"{PLUS_MINUS}: the client's own error. "
    yield ("tok/s: output tokens a second over all users (TGR), below it answers a second. ")
    if data.targets_ms:
        targets = ", ".join(
            f"{name.upper()} {spell_time(limit)}" for name, limit in data.targets_ms.items()
        )
        yield (
            f"Goodput: share of requests that meet every target ({targets}), below it how many a "
            "second. "
        )


def latency_cell(figure: str, *, with_error: bool) -> Cell:
    """p50 above, p99 below, each with the client's own error if asked for."""

    def one(row: Mapping[Any, Any], percentile: int) -> str:
        name = f"{figure}_p{percentile}"
        value = row[f"{name}_ms"]
        error = row[f"{name}_own_error_ms"] if with_error else float("nan")
        mark = "" if row[f"{name}_sure"] or math.isnan(value) else UNSURE
        return mark + spell_sure_time(value, error)

    return lambda row: (one(row, 50), one(row, 99))


def _load(row: Mapping[Any, Any]) -> tuple[str, str]:
    return load_words(row), "" if row["arrivals"] == "closed" else str(row["arrivals"])


def _count(row: Mapping[Any, Any]) -> tuple[str, str]:
    return f"{row['n']:,}", f"of {row['n_requests']:,}"


def _tokens(row: Mapping[Any, Any]) -> tuple[str, str]:
    return spell_number(row["tokens_per_s"]), spell_number(row["requests_per_s"])


def _goodput(row: Mapping[Any, Any]) -> tuple[str, str]:
    return spell_share(row["goodput_share"]), spell_number(row["goodput_per_s"])


def _columns(data: LoadData) -> tuple[Column, ...]:
    goodput = Column(header="goodput\nreq/s", cell=_goodput, from_width=_MIDDLE)
    failed = Column(
        header="failed",
        cell=lambda row: (f"{row['n_failed']:,}" if row["n_failed"] else "", ""),
        style=lambda _row: "red",
        from_width=_WIDE,
    )
    return (
        Column(
            header="stack",
            cell=lambda row: (row["title"], ""),
            justify="left",
            style=language_style,
            may_wrap=True,
        ),
        Column(header="load", cell=_load, justify="left"),
        Column(header="TTFT", cell=latency_cell("ttft", with_error=True)),
        Column(header="ITL", cell=latency_cell("itl", with_error=True), from_width=_NARROW),
        Column(header="TPOT", cell=latency_cell("tpot", with_error=False), from_width=_WIDEST),
        Column(header="E2E", cell=latency_cell("e2e", with_error=False), from_width=_WIDE),
        Column(header="tok/s\nreq/s", cell=_tokens),
        *([goodput] if data.targets_ms else []),
        Column(header="n", cell=_count),
        *([failed] if data.levels["n_failed"].any() else []),
    )
