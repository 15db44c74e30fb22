"""Where the time of requests goes, and what they take from the machine, as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from python_runner.analyse.resources import resources_per_stack
from python_runner.analyse.stages.breakdown import Stage
from python_runner.analyse.stages.frame import stages_per_stack
from python_runner.analyse.summary import summarise
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
    MISSING,
    spell_bytes,
    spell_number,
    spell_share,
    spell_time,
)
from python_runner.report.words.stages import (
    ENERGY_LEGEND,
    RESOURCES_LEGEND,
    STAGE_NAMES,
    STAGES_LEGEND,
    kernel_share,
    notes_on,
    spell_joules,
    spell_part,
    unattributed_words,
)

_RESOURCES_LEGEND = (
    f"{RESOURCES_LEGEND} Page faults: minor, below them major (from disk). Switches: voluntary, "
    "below them forced. Memory: resident at the end of a request, below it the most since the "
    f"start. {ENERGY_LEGEND}"
)
_WIDE = 96
_MS_PER_S = 1000.0


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
        if line := unattributed_words(stages):
            yield Text(line)
        yield Text(STAGES_LEGEND, style=QUIET)


def _stage_column(stage: Stage, *, is_short: bool) -> Column:
    def cell(row: Mapping[Any, Any]) -> tuple[str, str]:
        place = row["within"].get(stage.value)
        if place:
            return MISSING, "" if is_short else f"in {place}"
        ms = row[stage.value]
        return spell_share(ms / row["request_ms"]), "" if is_short else spell_part(ms)

    from_width = _WIDE if stage in (Stage.TOKENISE, Stage.QUEUE) else 0
    return Column(header=STAGE_NAMES[stage], cell=cell, from_width=from_width)


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
    return spell_share(kernel_share(row)), ""


def _memory(row: Mapping[Any, Any]) -> tuple[str, str]:
    return spell_bytes(row["resident_bytes"]), spell_bytes(row["peak_resident_bytes"])


def _energy(row: Mapping[Any, Any]) -> tuple[str, str]:
    return spell_joules(row["energy_j"]), ""


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
