"""Judged claims as Markdown, for a README, and as JSON, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from python_runner.analyse.claims import ClaimVerdict, Finding
from python_runner.report.claims import ClaimColumn, ClaimRow, ClaimsData, spell_cell


def claims_markdown(data: ClaimsData) -> str:
    """A table, verdict and effect of each run in a column, and its conditions below."""
    lines = [
        f"| claim | {' | '.join(_escape(column.heading) for column in data.columns)} |",
        f"| --- |{' --- |' * len(data.columns)}",
        *(_line(row) for row in data.rows),
        "",
        *_below(data),
    ]
    return "\n".join(lines) + "\n"


def claims_json(data: ClaimsData) -> str:
    """All that is known of each verdict; one list of parts for each run."""
    document = {
        "claims": data.claims.title,
        "source": data.claims.source,
        "exclusions": [list(one) for one in data.claims.exclusions],
        "warnings": list(data.warnings),
        "runs": [_run(column) for column in data.columns],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)


def _run(column: ClaimColumn) -> dict[str, object]:
    judgement = column.judgement
    return {
        "run_id": judgement.run_id,
        "study": judgement.study,
        "conditions": dict(judgement.conditions),
        "stacks": dict(judgement.stacks),
        "marks": list(judgement.marks),
        "missing": list(judgement.missing),
        "to_run": column.to_run,
        "verdicts": {one.claim.id: one.verdict.value for one in judgement.judged},
        "parts": judgement.records(),
    }


def _line(row: ClaimRow) -> str:
    label = f"{row.label}: {_escape(row.says)}"
    cells = zip(row.verdicts, row.findings, strict=True)
    return (
        f"| {label if row.is_part else f'**{label}**'} | "
        + " | ".join(_cell(verdict, finding, is_part=row.is_part) for verdict, finding in cells)
        + " |"
    )


def _cell(verdict: ClaimVerdict, finding: Finding | None, *, is_part: bool) -> str:
    below = spell_cell(finding)
    word = verdict.value if is_part else f"**{verdict.value}**"
    return f"{word}<br>{_escape(below)}" if below else word


def _below(data: ClaimsData) -> Iterator[str]:
    for warning in data.warnings:
        yield f"**{_escape(warning)}**\n"
    for column in data.columns:
        facts = column.facts
        yield f"- Run {facts.run_id}: {_escape(f'{facts.model}. {facts.work}. {facts.course}.')}"
    for text in (*data.marks, *data.exclusions):
        yield f"- {_escape(text)}"
    if data.readings:
        yield f"- Our reading. {_escape(' '.join(data.readings))}"


def _escape(text: str) -> str:
    """So that a bar does not end a cell and a sign of ours is no mark-up."""
    for sign in "\\|<*_`":
        text = text.replace(sign, f"\\{sign}")
    return text
