"""Several runs: what changed between them, their claims side by side, and a part for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from python_runner.analyse.compare import RunChange, change_between
from python_runner.report.claims import ClaimsData
from python_runner.report.contents.beside import verdict_tone
from python_runner.report.contents.cells import column, figure, numbers, said
from python_runner.report.contents.findings import claims_section
from python_runner.report.contents.one import answer_of, sections_of, title_of
from python_runner.report.contents.published import distinct, published_section
from python_runner.report.contents.reported import Reported, ReportedComparison
from python_runner.report.document import (
    Block,
    Cell,
    Figure,
    Paragraph,
    Points,
    Section,
    Table,
)
from python_runner.report.facts import shorten
from python_runner.report.units import spell_ratio, spell_time
from python_runner.report.words.pairs import (
    CHANGE_LEGEND,
    floor_words,
    spell_p,
    spell_ratios,
)

_LONGEST = 120


@dataclass(frozen=True, kw_only=True)
class Step:
    """What changed from one run to a later one."""

    before: int
    after: int
    change: RunChange


def steps_between(runs: Sequence[Reported]) -> tuple[Step, ...]:
    """From the first comparison to each of the others; loads are not compared."""
    comparisons = [run for run in runs if isinstance(run, ReportedComparison)]
    return tuple(_step(comparisons[0], other) for other in comparisons[1:])


def several_answer(runs: Sequence[Reported], steps: Sequence[Step]) -> Iterator[str]:
    """The machines first, then what really changed, then what each run says."""
    machines = list(dict.fromkeys(step.change.machine for step in steps if step.change.machine))
    yield "Each run stands by itself; nothing is pooled."
    yield from (f"{text[:1].upper()}{text[1:]}, so none is judged by another." for text in machines)
    for step in steps:
        yield from _changed(step)
    for run in runs:
        first = answer_of(run)[:2]
        yield f"Run {run.facts.run_id} ({run.run['study']}): {' '.join(first)}"


def several_sections(
    runs: Sequence[Reported], steps: Sequence[Step], claims: ClaimsData | None
) -> Iterator[Section]:
    """What the runs have together, then each of them."""
    for number, table in enumerate(distinct([run.table for run in runs]), start=1):
        section = published_section(table)
        yield replace(section, key="study" if number == 1 else f"study-{number}")
    yield from (_change_section(step) for step in steps)
    if claims is not None:
        yield claims_section(claims)
    for run in runs:
        yield from _part(run)


def _part(run: Reported) -> Iterator[Section]:
    """The sections of one run, under keys that no other run has."""
    prefix = f"run-{run.facts.run_id}"
    opening: list[Block] = [Paragraph(text=" ".join(answer_of(run)))]
    yield Section(key=prefix, title=title_of(run), blocks=opening)
    for section in sections_of(run):
        if section.key in ("claims", "study"):
            continue  # they stand side by side above
        yield Section(
            key=f"{prefix}-{section.key}",
            title=f"Run {run.facts.run_id}: {section.title}",
            blocks=[
                replace(block, key=f"{prefix}-{block.key}") if isinstance(block, Figure) else block
                for block in section.blocks
            ],
        )


def _step(first: ReportedComparison, other: ReportedComparison) -> Step:
    before, after = first.facts.run_id, other.facts.run_id
    frames = (first.frames, other.frames)
    change = change_between(
        pd.concat([each.samples for each in frames], ignore_index=True),
        pd.concat([each.conditions for each in frames], ignore_index=True),
        pd.concat([each.runs for each in frames], ignore_index=True),
        before,
        after,
    )
    return Step(before=before, after=after, change=change)


def _changed(step: Step) -> Iterator[str]:
    rows = step.change.speed.to_dict(orient="records")
    if step.change.machine or not rows:
        return
    words = "; ".join(
        f"{row['title_left']} {row['verdict']} ({spell_ratio(row['ratio'])})" for row in rows
    )
    changed = dict.fromkeys(str(what).split(", ")[0] for what in step.change.conditions["what"])
    because = f" (changed: {', '.join(changed)})" if changed else ", under the same conditions"
    yield f"From run {step.before} to run {step.after}{because}: {words}."


def _change_section(step: Step) -> Section:
    return Section(
        key=f"change-{step.before}-{step.after}",
        title=f"What changed from run {step.before} to run {step.after}",
        blocks=list(_change_blocks(step.change)),
    )


def _change_blocks(change: RunChange) -> Iterator[Block]:
    if change.machine:
        yield Paragraph(text=f"Nothing is judged: {change.machine}.", is_warning=True)
    if change.conditions.empty:
        yield Paragraph(text="Nothing changed in the conditions.")
    else:
        yield Table(
            columns=(column("what changed"), column("stack"), column("before"), column("after")),
            rows=[_condition(row) for row in change.conditions.to_dict(orient="records")],
            caption="Conditions",
        )
    if len(change.speed):
        rows = [_speed(row) for row in change.speed.to_dict(orient="records")]
        yield Table(columns=_SPEED, rows=rows, caption="E2E latency, later run over earlier one")
        yield Paragraph(text=f"{floor_words(change.speed)} {CHANGE_LEGEND}")
    elif not change.machine and not change.not_judged:
        yield Paragraph(text="The runs have no stack in common.", is_warning=True)
    if change.not_judged and not change.machine:
        items = [f"{title} is not judged: {why}" for title, why in change.not_judged.items()]
        yield Points(items=items)


_SPEED = (
    column("stack"),
    numbers("before"),
    numbers("after"),
    numbers("ratio"),
    column("interval"),
    numbers("p"),
    column("what may be said"),
    column("why"),
)


def _condition(row: Mapping[Any, Any]) -> list[Cell]:
    sides = (said(shorten(str(row[side]), _LONGEST), note="not there") for side in _SIDES)
    return [Cell(text=str(row["what"])), Cell(text=str(row["stack"]) or "all"), *sides]


_SIDES = ("before", "after")


def _speed(row: Mapping[Any, Any]) -> list[Cell]:
    verdict = str(row["verdict"])
    return [
        Cell(text=str(row["title_left"])),
        figure(row["median_right"], spell_time, note=f"n = {row['n_right']}"),
        figure(row["median_left"], spell_time, note=f"n = {row['n_left']}"),
        figure(row["ratio"], spell_ratio),
        said(spell_ratios(row["ratio_low"], row["ratio_high"])),
        figure(row["p_holm"], spell_p),
        Cell(text=verdict, tone=verdict_tone(verdict)),
        Cell(text=str(row["reason"])),
    ]
