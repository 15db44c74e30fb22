"""Where the time goes, and what a token takes from the machine."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from python_runner.analyse.resources import resources_per_stack
from python_runner.analyse.stages.breakdown import Stage
from python_runner.report.contents.cells import column, figure, numbers
from python_runner.report.contents.reported import ReportedComparison
from python_runner.report.document import Block, Cell, Figure, Paragraph, Points, Section, Table
from python_runner.report.units import (
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

_MS_PER_S = 1000.0
_COUNTS = {
    "minor_page_faults": "minor faults",
    "major_page_faults": "major faults",
    "voluntary_switches": "voluntary switches",
    "involuntary_switches": "forced switches",
}


def time_section(run: ReportedComparison, figures: Mapping[str, Figure]) -> Section | None:
    """The stages of a request; None without a complete request."""
    stages = run.data.stages
    if stages.empty:
        return None
    rows = stages.to_dict(orient="records")
    notes = [line for row in rows for line in notes_on(row)]
    if line := unattributed_words(stages):
        notes.append(line)
    table = Table(
        columns=(
            column("stack"),
            numbers("request", "sent to the end of its answer, text included"),
            *(numbers(STAGE_NAMES[stage]) for stage in Stage),
        ),
        rows=[_stack(row) for row in rows],
        caption="Mean over the middle half of the complete requests",
    )
    blocks: list[Block] = [figures["stages"]] if "stages" in figures else []
    blocks += [
        table,
        *([Points(items=notes)] if notes else []),
        Paragraph(text=STAGES_LEGEND),
        *_resources(run),
    ]
    return Section(key="time", title="Where the time goes", blocks=blocks)


def _stack(row: Mapping[Any, Any]) -> list[Cell]:
    return [
        Cell(text=str(row["title"])),
        figure(row["request_ms"], spell_time),
        *(_part(row, stage) for stage in Stage),
    ]


def _part(row: Mapping[Any, Any], stage: Stage) -> Cell:
    place = row["within"].get(stage.value)
    if place:
        return figure(math.nan, spell_part, note=f"not visible: within {place}")
    ms = float(row[stage.value])
    share = spell_share(ms / row["request_ms"])
    time = spell_part(ms)
    return Cell(text=f"{share} ({time})" if time else share, value=ms)


def _resources(run: ReportedComparison) -> list[Block]:
    used = resources_per_stack(run.frames.samples)
    known = used[used["cpu_s"].notna()]
    if known.empty:
        return []
    rows = run.frames.conditions[["condition_id", "title"]].merge(known, on="condition_id")
    has_energy = bool(rows["energy_j"].notna().any())
    columns = [
        column("stack"),
        numbers("CPU time"),
        numbers("cores", "CPU seconds of a request over its latency"),
        numbers("in the kernel"),
        *(numbers(name) for name in _COUNTS.values()),
        numbers("memory", "resident at the end of a request"),
        *([numbers("energy")] if has_energy else []),
    ]
    table = Table(
        columns=columns,
        rows=[_used(row, has_energy=has_energy) for row in rows.to_dict(orient="records")],
        caption="What a token takes",
    )
    legend = f"{RESOURCES_LEGEND} {ENERGY_LEGEND}" if has_energy else RESOURCES_LEGEND
    return [table, Paragraph(text=legend)]


def _used(row: Mapping[Any, Any], *, has_energy: bool) -> list[Cell]:
    return [
        Cell(text=str(row["title"])),
        figure(row["cpu_s"] * _MS_PER_S, spell_time),
        figure(row["cpu_per_s"], spell_number),
        figure(kernel_share(row), spell_share),
        *(figure(row[name], spell_number) for name in _COUNTS),
        figure(row["resident_bytes"], spell_bytes),
        *([figure(row["energy_j"], spell_joules)] if has_energy else []),
    ]
