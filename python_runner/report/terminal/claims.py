"""Judged claims in the terminal: one run with its grounds, several runs side by side."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from python_runner.analyse.claims import ClaimVerdict, Finding
from python_runner.report.claims import (
    ClaimColumn,
    ClaimRow,
    ClaimsData,
    spell_cell,
    spell_grounds,
    spell_seen,
)
from python_runner.report.terminal.layout import NOTE, QUIET, WARNING

_STYLES = {
    ClaimVerdict.SUPPORTED: "bold steel_blue3",
    ClaimVerdict.REFUTED: "bold dark_orange3",
    ClaimVerdict.INCONCLUSIVE: "bold grey50",
}
_LEGEND = (
    "A verdict holds under the conditions that were run. Ratio: left over right, with its 95% "
    "interval. A claim with several parts is supported if all of them are, and refuted if one is."
)


def claims_report(data: ClaimsData) -> RenderableType:
    """All claims with their verdicts, and what stands behind them."""
    body = _grounds(data) if len(data.columns) == 1 else _side_by_side(data)
    return Group(_heading(data), body, *_below(data))


def _heading(data: ClaimsData) -> Text:
    text = Text(f"Claims: {data.claims.title}", style="bold")
    return text.append(f"\n{data.claims.source}", style=QUIET)


def _grounds(data: ClaimsData) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("claim", ratio=5, overflow="fold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("seen, and why", ratio=6, overflow="fold")
    for row in data.rows:
        table.add_row(_says(row), _verdict(row.verdicts[0]), _seen(row.findings[0]))
    return table


def _side_by_side(data: ClaimsData) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("claim", ratio=3, overflow="fold")
    for column in data.columns:
        table.add_column(column.heading, ratio=2, overflow="fold")
    for row in data.rows:
        cells = zip(row.verdicts, row.findings, strict=True)
        table.add_row(_says(row), *(_cell(verdict, finding) for verdict, finding in cells))
    return table


def _says(row: ClaimRow) -> Text:
    indent = "  " if row.is_part else ""
    return Text(f"{indent}{row.label}  {row.says}", style="" if row.is_part else "bold")


def _verdict(verdict: ClaimVerdict) -> Text:
    return Text(verdict.value, style=_STYLES[verdict])


def _cell(verdict: ClaimVerdict, finding: Finding | None) -> Text:
    text = _verdict(verdict)
    below = spell_cell(finding)
    return text.append(f"\n{below}", style="not bold default") if below else text


def _seen(finding: Finding | None) -> Text:
    if finding is None:
        return Text("")
    text = Text("")
    if finding.effect is not None:
        text.append(f"{spell_seen(finding.effect)}\n")
    return text.append(spell_grounds(finding), style=QUIET)


def _below(data: ClaimsData) -> Iterator[Text]:
    for warning in data.warnings:
        yield Text(warning, style=WARNING)
    for text in (*data.marks, *data.exclusions):
        yield Text(text, style=NOTE)
    for column in data.columns:
        yield Text(_conditions(column))
    if data.readings:
        yield Text(f"Our reading. {' '.join(data.readings)}", style=QUIET)
    yield Text(_LEGEND, style=QUIET)
    for column in data.columns:
        if column.to_run:
            run = column.judgement.run_id
            yield Text(f"What run {run} lacks, to be judged on all claims: {column.to_run}")


def _conditions(column: ClaimColumn) -> str:
    facts = column.facts
    return f"Run {facts.run_id}: {facts.model}. {facts.work}. {facts.course}."
