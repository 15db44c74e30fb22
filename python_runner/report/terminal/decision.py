"""A decision in the terminal: ranking, reasons, what would change it."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from python_runner.analyse.decision import Decision, Ranked
from python_runner.engines.contract import Language
from python_runner.report.decision.data import DecisionData, places
from python_runner.report.decision.words import (
    BY_KEY,
    answer,
    machines,
    spell_figure,
    spell_latency,
    spell_span,
    spell_total,
    spell_turn,
    spell_weight,
)
from python_runner.report.palette import LANGUAGES
from python_runner.report.terminal.layout import NOTE, QUIET, WARNING
from python_runner.report.units import spell_share

_LEGEND = (
    "Total: weighted mean of utilities from 0 to 1, and between which ends it may lie; what is not "
    "known may be anything from 0 to 1. Place: those that the ranges leave open."
)


def decision_report(data: DecisionData) -> RenderableType:
    """Answer, ranking, criteria, what is out, and how firm it is."""
    decision = data.decision
    parts: list[RenderableType] = [Text(decision.team.title, style="bold")]
    parts += [Text(sentence) for sentence in answer(decision)]
    parts += [Text(mark, style=WARNING) for mark in data.marks]
    parts += [Text(note, style=NOTE) for note in decision.notes]
    if decision.ranked:
        parts += [_ranking(decision), _criteria(decision)]
    if decision.excluded:
        parts.append(_excluded(decision))
    parts += list(_firmness(decision))
    parts += [Text(line, style=QUIET) for line in machines(decision)]
    parts += [Text(f"Run {run.run_id} ({run.command}): {run.conditions}") for run in data.runs]
    return Group(*parts, Text(_LEGEND, style=QUIET))


def _ranking(decision: Decision) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("place", justify="right", no_wrap=True)
    table.add_column("stack", no_wrap=True)
    table.add_column("language", no_wrap=True)
    table.add_column("path", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    table.add_column("to know", overflow="fold")
    for one in decision.ranked:
        language = Language(one.stack.language)
        total = Text(spell_total(one.total.point))
        total.append(f"\n{spell_span(one.total.low, one.total.high)}", style=QUIET)
        table.add_row(
            places(one.rank.best, one.rank.worst),
            one.stack.title,
            Text(language.value, style=LANGUAGES[language].terminal),
            one.stack.reach,
            total,
            Text("\n".join(_to_know(one)), style=QUIET),
        )
    return table


def _to_know(one: Ranked) -> Iterator[str]:
    if one.dominated_by:
        yield f"dominated by {', '.join(one.dominated_by)}: nowhere better"
    yield from one.open_questions


def _criteria(decision: Decision) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("criterion", overflow="fold")
    table.add_column("weight", justify="right", no_wrap=True)
    for one in decision.ranked:
        table.add_column(one.stack.title, justify="right", overflow="fold")
    for key, share in decision.share.items():
        if not share:
            continue
        table.add_row(
            BY_KEY[key].title, spell_share(share), *(_cell(one, key) for one in decision.ranked)
        )
    return table


def _cell(one: Ranked, key: str) -> Text:
    part = one.parts[key]
    text = Text(spell_figure(part.figure), style="" if part.utility.is_known else QUIET)
    run = part.figure.run_id
    origin = f", run {run}" if run is not None and part.utility.is_known else ""
    worth = spell_total(part.utility.point) if part.utility.is_known else "0 to 1"
    return text.append(f"\nworth {worth}{origin}", style=QUIET)


def _excluded(decision: Decision) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("left out", no_wrap=True)
    table.add_column("why", overflow="fold")
    for one in decision.excluded:
        table.add_row(one.stack.title, "; ".join(breach.reason for breach in one.breaches))
    return table


def _firmness(decision: Decision) -> Iterator[Text]:
    if len(decision.ranked) < 2:
        return
    yield Text("What would change the first place", style="bold")
    for one in decision.weight_turns:
        if one.below is None and one.above is None:
            continue
        name = BY_KEY[one.criterion].title
        weight = spell_weight(one.weight)
        yield Text(f"  {name} (weight {weight}): {spell_turn(one, decision)}")
    firm = [one for one in decision.weight_turns if one.below is None and one.above is None]
    if firm:
        names = ", ".join(BY_KEY[one.criterion].title.lower() for one in firm)
        yield Text(f"  No weight of these would: {names}.")
    for latency in decision.latency_turns:
        yield Text(f"  {spell_latency(latency, decision)}")
