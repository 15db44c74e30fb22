"""Where the time of requests goes, and what they take from the machine, as tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from python_runner.analyse.resources import resources_per_stack
from python_runner.analyse.stages.breakdown import Stage
from python_runner.analyse.stages.frame import MOST_UNATTRIBUTED, stages_per_stack
from python_runner.analyse.summary import summarise
from python_runner.engines.contract import Reach
from python_runner.report.facts import run_facts
from python_runner.report.terminal.layout import (
    NOTE,
    QUIET,
    Column,
    FittingTable,
    language_style,
)
from python_runner.report.terminal.summary import below, heading
from python_runner.report.units import (
    MICRO,
    MISSING,
    spell_bytes,
    spell_number,
    spell_share,
    spell_time,
)

_WIDE = 96
_MS_PER_S = 1000.0
_US_PER_MS = 1000.0
_HEADERS = {
    Stage.QUEUE: "queue, HTTP",
    Stage.TOKENISE: "tokeniser",
    Stage.PREFILL: "prefill",
    Stage.DECODE: "decode",
    Stage.SAMPLE: "sampling",
    Stage.COLLECT: "GC",
    Stage.REST: "rest",
}
_LEGEND = (
    "Request: sent to the end of its answer, text included. Means over the middle half of the "
    "complete timed requests, so that the parts add up. Rest: the engine's own loop where it is "
    "seen, and what is unattributed. Where each figure comes from stands in docs/methodology.md."
)
_RESOURCES_LEGEND = (
    "Medians, of all processes of an engine, for each output token; the prompt's work is in it. "
    "Page faults: minor, below them major (from disk). Switches: voluntary, below them forced. "
    "Memory: resident at the end of a request, below it the most since the start. Energy: of the "
    "whole machine's processors, where it may be read."
)


def time_report(
    samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame
) -> RenderableType:
    """Both tables in full, with conditions and what cannot be seen.

    Raises:
        UsageError: the frames hold no run, or several.
    """
    facts = run_facts(samples, conditions, runs, summarise(samples, conditions))
    return Group(
        heading(facts),
        *stage_lines(samples, conditions),
        *_resource_lines(samples, conditions),
        *below(facts, ""),
    )


def stage_lines(
    samples: pd.DataFrame, conditions: pd.DataFrame, *, is_short: bool = False
) -> Iterator[RenderableType]:
    """The table of stages, and what cannot be seen; nothing without a complete request.

    The short one has shares only, and no legend.
    """
    stages = stages_per_stack(samples, conditions)
    if stages.empty:
        return
    columns = [_STACK, _REQUEST, *(_stage_column(stage, is_short=is_short) for stage in Stage)]
    yield FittingTable(columns=columns, rows=stages)
    for stack in stages.to_dict(orient="records"):
        yield from (Text(line, style=NOTE) for line in notes_on(stack))
    if not is_short:
        yield from _unattributed(stages)
        yield Text(_LEGEND, style=QUIET)


def _unattributed(stages: pd.DataFrame) -> Iterator[Text]:
    embedded = stages[stages["reach"] == Reach.EMBEDDED.value].to_dict(orient="records")
    if embedded:
        each = (f"{row['title']} {spell_share(row['unattributed_share'])}" for row in embedded)
        yield Text(f"Unattributed of the embedded stacks: {', '.join(each)}.")


def notes_on(stack: Mapping[Any, Any]) -> Iterator[str]:
    """What cannot be seen of a stack's time; a row of `stages_per_stack`."""
    within: dict[str, list[str]] = {}
    for stage, place in stack["within"].items():
        within.setdefault(place, []).append(stage)
    hidden = (f"{', '.join(stages)} (within {place})" for place, stages in within.items())
    if within:
        yield f"{stack['title']}: not visible: {'; '.join(hidden)}."
    if stack["reach"] == Reach.EMBEDDED and stack["unattributed_share"] > MOST_UNATTRIBUTED:
        yield f"{stack['title']}: {spell_share(stack['unattributed_share'])} is unattributed."


def _stage_column(stage: Stage, *, is_short: bool) -> Column:
    def cell(row: Mapping[Any, Any]) -> tuple[str, str]:
        place = row["within"].get(stage.value)
        if place:
            return MISSING, "" if is_short else f"in {place}"
        ms = row[stage.value]
        return spell_share(ms / row["request_ms"]), "" if is_short else _spell_part(ms)

    from_width = _WIDE if stage in (Stage.TOKENISE, Stage.QUEUE) else 0
    return Column(header=_HEADERS[stage], cell=cell, from_width=from_width)


def _spell_part(ms: float) -> str:
    if ms == 0:
        return ""
    return spell_time(ms) if ms >= 1 else f"{spell_number(ms * _US_PER_MS, 2)} {MICRO}s"


def _resource_lines(samples: pd.DataFrame, conditions: pd.DataFrame) -> Iterator[RenderableType]:
    used = resources_per_stack(samples)
    known = used[used["cpu_s"].notna()]
    if known.empty:
        return
    names = ["condition_id", "title", "version", "language", "reach"]
    yield Text("\nWhat a token takes", style="bold")
    rows = conditions[names].merge(known, on="condition_id")
    has_energy = bool(rows["energy_j"].notna().any())
    columns = [column for column in _RESOURCES if has_energy or column is not _ENERGY]
    yield FittingTable(columns=columns, rows=rows)
    yield Text(_RESOURCES_LEGEND, style=QUIET)


def _counts(first: str, second: str) -> Callable[[Mapping[Any, Any]], tuple[str, str]]:
    return lambda row: (spell_number(row[first]), spell_number(row[second]))


def _cpu(row: Mapping[Any, Any]) -> tuple[str, str]:
    return spell_time(row["cpu_s"] * _MS_PER_S), f"{spell_number(row['cpu_per_s'])} cores"


def _system(row: Mapping[Any, Any]) -> tuple[str, str]:
    in_all = row["user_cpu_s"] + row["system_cpu_s"]
    return spell_share(row["system_cpu_s"] / in_all) if in_all else MISSING, ""


def _memory(row: Mapping[Any, Any]) -> tuple[str, str]:
    return spell_bytes(row["resident_bytes"]), spell_bytes(row["peak_resident_bytes"])


def _energy(row: Mapping[Any, Any]) -> tuple[str, str]:
    joules = row["energy_j"]
    return (f"{spell_number(joules)} J" if math.isfinite(joules) else MISSING), ""


_STACK = Column(
    header="stack",
    cell=lambda row: (row["title"], f"{row['language']}, {row['reach']}"),
    justify="left",
    style=language_style,
    may_wrap=True,
)
_REQUEST = Column(
    header="request",
    cell=lambda row: (spell_time(row["request_ms"]), ""),
    style=lambda _row: "bold",
)
_ENERGY = Column(header="energy", cell=_energy)
_RESOURCES = (
    _STACK,
    Column(header="CPU", cell=_cpu),
    Column(header="in kernel", cell=_system, from_width=_WIDE),
    Column(header="page faults", cell=_counts("minor_page_faults", "major_page_faults")),
    Column(header="switches", cell=_counts("voluntary_switches", "involuntary_switches")),
    Column(header="memory", cell=_memory),
    _ENERGY,
)
