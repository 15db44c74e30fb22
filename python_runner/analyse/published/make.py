"""Put rows of ours and the original's into one table, and say what may be compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from python_runner.analyse.batching import Seen, batching_of
from python_runner.analyse.published.languages import languages_rows
from python_runner.analyse.published.long_sequences import long_sequences_rows
from python_runner.analyse.published.nine_prompts import nine_prompts_rows
from python_runner.analyse.published.ours import OurRow, Shape, hardware_of
from python_runner.analyse.published.part import PartRun
from python_runner.analyse.published.table import PublishedTable, Row
from python_runner.analyse.published.users import users_rows
from python_runner.common.variants import parse_stack
from python_runner.study.published import (
    HARDWARE,
    MODEL,
    STACK_COLUMN,
    Original,
    Published,
    Value,
    platforms_of,
)

SHAPES: Mapping[str, Shape] = {
    "users": users_rows,
    "long-sequences": long_sequences_rows,
    "languages": languages_rows,
    "nine-prompts": nine_prompts_rows,
}
"""The tables by the name that a published file gives them."""


def published_table(runs: Sequence[PartRun], published: Published) -> PublishedTable:
    """The table of a published study.

    Args:
        runs: the runs of one series, at least one, in the order of their parts.
        published: the study that they repeat.

    Returns:
        Platforms of which there are figures of ours first, in the order in which they ran; then
        the others, in the original's order. In each, our rows, then the original's.
    """
    ours = [row for run in runs for row in SHAPES[published.table](run)]
    groups = _Groups(published.original, runs, ours)
    return PublishedTable(
        title=published.title,
        columns=published.original.columns,
        rows=tuple(groups.rows()),
        notes=tuple(_notes(runs, published)),
    )


class _Groups:
    """The rows by platform."""

    def __init__(self, original: Original, runs: Sequence[PartRun], ours: Sequence[OurRow]) -> None:
        self._original = original
        self._runs = runs
        self._ours: dict[str, list[OurRow]] = {}
        for row in ours:
            self._ours.setdefault(self._platform(row.stack), []).append(row)

    def rows(self) -> Iterator[Row]:
        left_out = self._left_out()
        platforms = [*self._ours, *self._original.platforms, *left_out]
        for platform in dict.fromkeys(platforms):
            for row in self._ours.get(platform, ()):
                yield Row(values=row.values, is_ours=True, lack=row.lack)
            if platform not in self._ours:
                lack = left_out.get(platform) or self._never_tried(platform)
                yield Row(values={STACK_COLUMN: platform}, is_ours=True, was_run=False, lack=lack)
            for theirs in self._original.rows:
                if theirs[STACK_COLUMN] == platform:
                    apart = not_comparable(theirs, self._original, self._runs)
                    yield Row(values=theirs, is_ours=False, not_comparable=apart)

    def _platform(self, stack: str) -> str:
        """The original's name of an engine; its own where the original did not have it."""
        base = parse_stack(stack).base
        return next(platforms_of(self._original, base), stack)

    def _left_out(self) -> dict[str, str]:
        """Platforms of which no stack was tried, with the reason."""
        reasons: dict[str, str] = {}
        for run in self._runs:
            for stack, reason in run.mark.left_out.items():
                platform = self._platform(stack)
                if platform not in self._ours:
                    reasons.setdefault(platform, reason)
        return reasons

    def _never_tried(self, platform: str) -> str:
        engines = self._original.platforms.get(platform, ())
        if not engines:
            return "no engine of this workbench is that"
        return f"not tried: {', '.join(engines)}"


def not_comparable(theirs: Mapping[str, Value], original: Original, runs: Sequence[PartRun]) -> str:
    """Why a row of the original cannot be held against these runs; empty: it can."""
    hardware = str(theirs.get(HARDWARE, original.hardware))
    models = [str(theirs[MODEL])] if MODEL in theirs else list(original.models)
    pairs = [(run, condition) for run in runs for condition in run.conditions]
    if not pairs:
        return "no stack of ours was measured"
    machines = {hardware_of(condition, run): None for run, condition in pairs}
    reasons = []
    if not any(_is_same_machine(hardware, name) for name in machines):
        reasons.append(f"their {hardware}, our {', '.join(machines)}")
    if not any(
        _is_same_model(model, str(condition["model"])) and not condition["is_synthetic"]
        for model in models
        for _, condition in pairs
    ):
        mine = {
            f"{each['model']}{' (random weights)' if each['is_synthetic'] else ''}": None
            for _, each in pairs
        }
        reasons.append(f"their {', '.join(models)}, our {', '.join(mine)}")
    return "; ".join(reasons)


def _is_same_machine(theirs: str, ours: str) -> bool:
    """`A100 80GB` is `NVIDIA A100-SXM4-80GB`: every word of it is there."""
    return all(word in ours.lower() for word in theirs.lower().split())


def _is_same_model(theirs: str, ours: str) -> bool:
    """`Llama-3-8B` is `llama-3-8b-instruct`; `Llama-3.1-8B` is not."""
    return _bare(theirs) in _bare(ours)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "", name.lower())


def _notes(runs: Sequence[PartRun], published: Published) -> Iterator[str]:
    mark = runs[0].mark
    scale = published.scales.get(mark.scale)
    if scale is not None:
        yield f"Scale {mark.scale}: {scale.smaller}"
    yield f"The original: {published.original.source}; {published.original.workload}"
    yield from published.original.notes
    for run in runs:
        for found in batching_of(run.as_evidence):
            if found.seen is not Seen.UNSURE or published.table == "users":
                yield found.in_words()
    missing = sorted(set(range(1, mark.parts + 1)) - {run.mark.part for run in runs})
    if missing:
        yield f"{len(missing)} of {mark.parts} runs are missing: they were not made, or not kept."
