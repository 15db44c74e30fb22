"""Golden runs as reports are given them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pandas as pd

from python_runner.report.contents import (
    Reported,
    ReportedComparison,
    ReportedLoad,
    document_of,
    reported,
)
from python_runner.report.document import Document, Figure
from tests.golden.cases import CASES
from tests.golden.loads import LOADS


@cache
def comparison(case: str) -> ReportedComparison:
    """A case of `tests.golden.cases`."""
    found = reported(CASES[case]().stored())
    assert isinstance(found, ReportedComparison)
    return found


@cache
def load(case: str) -> ReportedLoad:
    """A case of `tests.golden.loads`."""
    found = reported(LOADS[case]())
    assert isinstance(found, ReportedLoad)
    return found


@cache
def document(case: str) -> Document:
    """The report of a comparison, without its figures."""
    return without_figures(document_of([comparison(case)]))


def without_figures(told: Document) -> Document:
    """The same report in words and tables; figures have tests of their own."""
    parts = [
        replace(
            section, blocks=[block for block in section.blocks if not isinstance(block, Figure)]
        )
        for section in told.sections
    ]
    return replace(told, sections=[part for part in parts if part.blocks])


def renumbered(run: ReportedComparison, run_id: int, **host: object) -> Reported:
    """The same run again under another number, on another machine if told so."""
    frames = run.frames
    machine = {**frames.runs["host"].iloc[0], **host}
    moved = replace(
        frames,
        runs=frames.runs.assign(run_id=run_id, host=pd.Series([machine], index=frames.runs.index)),
        conditions=frames.conditions.drop(columns=["answers", "struck"]).assign(
            run_id=run_id, condition_id=frames.conditions["condition_id"] + 1000 * run_id
        ),
        samples=frames.samples.assign(
            run_id=run_id, condition_id=frames.samples["condition_id"] + 1000 * run_id
        ),
    )
    return reported(moved)
