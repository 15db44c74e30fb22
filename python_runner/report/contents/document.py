"""A report as a whole: of one run, or of several."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from python_runner.common.errors import UsageError
from python_runner.report.claims import ClaimsData
from python_runner.report.contents.background import footer
from python_runner.report.contents.one import answer_of, marks_of, sections_of, title_of
from python_runner.report.contents.reported import Reported
from python_runner.report.contents.several import (
    several_answer,
    several_sections,
    steps_between,
)
from python_runner.report.document import Document


def document_of(runs: Sequence[Reported], *, claims: ClaimsData | None = None) -> Document:
    """Say what the runs say.

    Args:
        runs: at least one.
        claims: of several runs: all of them side by side; None: they have none in common.

    Raises:
        UsageError: there is no run.
    """
    if not runs:
        raise UsageError("a report is about runs, and none was named")
    rows = pd.concat([run.frames.runs for run in runs], ignore_index=True)
    if len(runs) == 1:
        return Document(
            title=title_of(runs[0]),
            answer=answer_of(runs[0]),
            marks=marks_of(runs[0]),
            sections=sections_of(runs[0]),
            footer=footer(rows),
        )
    steps = steps_between(runs)
    marks = [f"run {run.facts.run_id}: {mark}" for run in runs for mark in marks_of(run)]
    return Document(
        title=f"Runs {', '.join(str(run.facts.run_id) for run in runs)}",
        answer=tuple(several_answer(runs, steps)),
        marks=tuple(marks),
        sections=tuple(several_sections(runs, steps, claims)),
        footer=footer(rows),
    )
