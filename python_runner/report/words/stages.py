"""Where the time goes, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.stages.breakdown import Stage
from python_runner.analyse.stages.frame import MOST_UNATTRIBUTED
from python_runner.engines.contract import Reach
from python_runner.report.units import MICRO, MISSING, spell_number, spell_share, spell_time

_US_PER_MS = 1000.0
STAGE_NAMES = {
    Stage.QUEUE: "queue, HTTP",
    Stage.TOKENISE: "tokeniser",
    Stage.PREFILL: "prefill",
    Stage.DECODE: "decode",
    Stage.SAMPLE: "sampling",
    Stage.COLLECT: "GC",
    Stage.REST: "rest",
}
STAGES_LEGEND = (
    "Request: sent to the end of its answer, text included. Means over the middle half of the "
    "complete timed requests, so that the parts add up. Rest: the engine's own loop where it is "
    "seen, and what is unattributed. Where each figure comes from stands in docs/methodology.md."
)
RESOURCES_LEGEND = (
    "Medians, of all processes of an engine, for each output token; the prompt's work is in it."
)
ENERGY_LEGEND = "Energy: of the whole machine's processors, where it may be read."


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


def unattributed_words(stages: pd.DataFrame) -> str:
    """What is unattributed of each embedded stack, as a sentence; empty without any."""
    embedded = stages[stages["reach"] == Reach.EMBEDDED.value].to_dict(orient="records")
    each = (f"{row['title']} {spell_share(row['unattributed_share'])}" for row in embedded)
    return f"Unattributed of the embedded stacks: {', '.join(each)}." if embedded else ""


def spell_part(ms: float) -> str:
    """A part of a request: `3.1 s`, `42 µs`; empty for none."""
    if ms == 0:
        return ""
    return spell_time(ms) if ms >= 1 else f"{spell_number(ms * _US_PER_MS, 2)} {MICRO}s"


def kernel_share(row: Mapping[Any, Any]) -> float:
    """Of the CPU time of a stack's requests, the part in the kernel; NaN where there is none."""
    in_all = row["user_cpu_s"] + row["system_cpu_s"]
    return float(row["system_cpu_s"] / in_all) if in_all else math.nan


def spell_joules(joules: float) -> str:
    """`1.2 J`, or a dash for NaN."""
    return f"{spell_number(joules)} J" if math.isfinite(joules) else MISSING
