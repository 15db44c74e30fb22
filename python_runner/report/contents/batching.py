"""Which stacks of a load compute several requests at once."""

from __future__ import annotations

import math

from python_runner.analyse.batching import BatchingSeen, Seen, batching_of
from python_runner.analyse.claims import RunFrames
from python_runner.report.contents.cells import column, numbers, said
from python_runner.report.contents.reported import ReportedLoad
from python_runner.report.document import Block, Cell, Points, Section, Table, Tone
from python_runner.report.units import TO, spell_number, spell_ratio


def batching_section(run: ReportedLoad) -> Section | None:
    """None where no stack has a level of one user and one of more."""
    found = batching_of(
        RunFrames(
            samples=run.frames.samples,
            conditions=run.frames.conditions,
            run=run.run,
            requests=run.frames.load_requests,
            levels=run.frames.load_levels,
        )
    )
    if not found:
        return None
    blocks: list[Block] = [
        Table(
            columns=(
                column("stack"),
                numbers("users"),
                numbers("TGR over that of 1 user", "tokens a second of all users"),
                column("95% interval"),
                column("measured"),
                column("declared"),
            ),
            rows=[_row(one) for one in found],
            caption="Tokens a second of many users over those of one",
        ),
        Points(items=[one.in_words() for one in found]),
    ]
    return Section(key="batching", title="Which engine batches", blocks=blocks)


def _row(one: BatchingSeen) -> list[Cell]:
    interval = ""
    if math.isfinite(one.low):
        interval = f"{spell_number(one.low)}{TO}{spell_number(one.high)}"
    is_known = math.isfinite(one.ratio)
    return [
        Cell(text=one.title),
        Cell(text=f"{one.many:,}", value=float(one.many)),
        Cell(text=spell_ratio(one.ratio), value=one.ratio if is_known else None),
        said(interval, note=one.lack),
        Cell(
            text=one.seen.value,
            tone=Tone.UNKNOWN if one.seen is Seen.UNSURE else Tone.PLAIN,
            note=one.lack,
        ),
        said(one.declared, tone=Tone.BAD if one.contradiction else Tone.PLAIN),
    ]
