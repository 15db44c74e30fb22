"""A decision as a document: what the page, the Markdown and a reader in a hurry are told."""

from __future__ import annotations

from collections.abc import Container, Iterator

from python_runner.analyse.decision import CRITERIA, Decision, Figure, Part
from python_runner.engines.catalogue import FACTS
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
    spell_value,
    spell_weight,
)
from python_runner.report.document import (
    Block,
    Cell,
    Code,
    Column,
    Document,
    Paragraph,
    Points,
    Section,
    Table,
    Tone,
)
from python_runner.report.units import spell_share
from python_runner.study import team_toml

FIRST_SECTION = "know"
"""What is read before the ranking."""

_TOTAL = "weighted mean of what each criterion is worth, from 0 to 1; the middle of its range"
_RANGE = "between which ends the total may lie: intervals widen it, and what is not known"
_PLACE = "the places that the ranges leave open"


def decision_document(data: DecisionData) -> Document:
    """The whole report."""
    decision = data.decision
    return Document(
        title=decision.team.title,
        answer=answer(decision),
        marks=data.marks,
        sections=[section for section in _sections(data) if section.blocks],
        footer=f"Made by `{data.command}`. What a number rests on stands beside it.",
    )


def _sections(data: DecisionData) -> Iterator[Section]:
    decision = data.decision
    notes: list[Block] = [Paragraph(text=note, is_warning=True) for note in decision.notes]
    yield Section(key=FIRST_SECTION, title="Before you read it", blocks=notes)
    yield Section(key="ranking", title="Ranking", blocks=_ranking(decision))
    yield Section(key="reasons", title="Why: every figure", blocks=_reasons(data))
    yield Section(key="out", title="Left out", blocks=_excluded(decision))
    yield Section(key="firm", title="What would change it", blocks=list(_firmness(decision)))
    yield Section(key="machines", title="How many machines", blocks=_machines(decision))
    yield Section(key="facts", title="What the projects say", blocks=_facts(decision))
    yield Section(key="criteria", title="How each criterion counts", blocks=[criteria_table()])
    yield Section(key="repeat", title="How to repeat it", blocks=_repeat(data))
    for run in data.runs:
        yield Section(
            key=f"run-{run.run_id}",
            title=f"Run {run.run_id}",
            blocks=[Paragraph(text=run.conditions), Code(text=run.command)],
        )


def _ranking(decision: Decision) -> list[Block]:
    if not decision.ranked:
        return []
    columns = [
        Column(title="stack"),
        Column(title="place", meaning=_PLACE, is_number=True),
        Column(title="language"),
        Column(title="path"),
        Column(title="total", meaning=_TOTAL, is_number=True),
        Column(title="range", meaning=_RANGE, is_number=True),
        Column(title="to know"),
    ]
    rows = [
        [
            Cell(text=one.stack.title),
            Cell(text=places(one.rank.best, one.rank.worst), value=one.rank.best),
            Cell(text=one.stack.language),
            Cell(text=one.stack.reach),
            Cell(text=spell_total(one.total.point), value=one.total.point),
            Cell(text=spell_span(one.total.low, one.total.high), value=one.total.low),
            _to_know(one.dominated_by, one.open_questions),
        ]
        for one in decision.ranked
    ]
    return [Table(columns=columns, rows=rows)]


def _to_know(dominated_by: tuple[str, ...], questions: tuple[str, ...]) -> Cell:
    dominated = [f"dominated by {', '.join(dominated_by)}: nowhere better"] if dominated_by else []
    text = "; ".join([*dominated, *questions])
    tone = Tone.BAD if dominated else Tone.UNKNOWN if questions else Tone.PLAIN
    return Cell(text=text, tone=tone)


def _reasons(data: DecisionData) -> list[Block]:
    decision, runs = data.decision, {run.run_id for run in data.runs}
    everyone = [(one.stack.title, one.parts) for one in decision.ranked]
    everyone += [(f"{one.stack.title} (left out)", one.parts) for one in decision.excluded]
    columns = [
        Column(title="criterion"),
        Column(title="weight", is_number=True, meaning="share of all weights"),
        *(Column(title=title) for title, _ in everyone),
    ]
    rows = [
        [
            Cell(text=BY_KEY[key].title, note=BY_KEY[key].formula),
            Cell(text=spell_share(share), value=share),
            *(_figure(parts[key], runs) for _, parts in everyone),
        ]
        for key, share in decision.share.items()
        if share or any(parts[key].utility.is_known for _, parts in everyone)
    ]
    how = (
        "Each figure, and what it is worth from 0 to 1. A number leads to the run it comes from; "
        "its note says how it was got. Unknown may be worth anything from 0 to 1."
    )
    return [Paragraph(text=how), Table(columns=columns, rows=rows)]


def _figure(part: Part, runs: Container[int]) -> Cell:
    """`runs`: numbers of the runs that the document has a section on."""
    figure = part.figure
    if not part.utility.is_known:
        return Cell(text="unknown", tone=Tone.UNKNOWN, note=figure.why_unknown)
    worth = spell_total(part.utility.point)
    return Cell(
        text=f"{spell_value(figure.value, figure.unit)}, worth {worth}",
        note=_origin(figure, runs),
        link=_link(figure, runs),
    )


def _origin(figure: Figure, runs: Container[int]) -> str:
    ends = spell_figure(figure) if figure.low != figure.high else ""
    source = "" if figure.source.startswith("https://") else figure.source
    run = f"`polystack show {figure.run_id}`" if figure.run_id in runs else ""
    return "; ".join(text for text in (ends, source, figure.note, run) if text)


def _link(figure: Figure, runs: Container[int]) -> str:
    if figure.run_id in runs:
        return f"#run-{figure.run_id}"
    return figure.source if figure.source.startswith("https://") else ""


def _excluded(decision: Decision) -> list[Block]:
    if not decision.excluded:
        return []
    rows = [
        [
            Cell(text=one.stack.title),
            Cell(text="; ".join(breach.reason for breach in one.breaches), tone=Tone.BAD),
        ]
        for one in decision.excluded
    ]
    return [Table(columns=[Column(title="stack"), Column(title="why")], rows=rows)]


def _firmness(decision: Decision) -> Iterator[Block]:
    if len(decision.ranked) < 2:
        return
    yield Paragraph(
        text="How far each weight may be moved, all others as they are, before another stack "
        "comes first. Exact, for the middles of the ranges; what is not known stands in its middle."
    )
    columns = [
        Column(title="criterion"),
        Column(title="weight", is_number=True),
        Column(title="first place changes to"),
        Column(title="without it, first is"),
    ]
    rows = [
        [
            Cell(text=BY_KEY[one.criterion].title),
            Cell(text=spell_weight(one.weight), value=one.weight),
            Cell(text=spell_turn(one, decision)),
            Cell(
                text=decision.title_of(one.without),
                tone=Tone.BAD if one in decision.deciding else Tone.PLAIN,
            ),
        ]
        for one in decision.weight_turns
    ]
    yield Table(columns=columns, rows=rows)
    if decision.latency_turns:
        yield Points(items=[spell_latency(one, decision) for one in decision.latency_turns])


def _machines(decision: Decision) -> list[Block]:
    lines = list(machines(decision))
    return [Paragraph(text=lines[0]), Points(items=lines[1:])] if len(lines) > 1 else []


def _facts(decision: Decision) -> list[Block]:
    stacks = decision.stacks
    named = [name for name in FACTS if any(name in stack.facts for stack in stacks)]
    if not named:
        return []
    rows = []
    for stack in stacks:
        cells = [Cell(text=stack.title)]
        for name in named:
            fact = stack.facts.get(name)
            if fact is None:
                cells.append(Cell(text="unknown", tone=Tone.UNKNOWN, note="not in the catalogue"))
                continue
            read = f"read {fact.date}" + (f"; {fact.note}" if fact.note else "")
            cells.append(Cell(text=", ".join(fact.values), note=read, link=fact.source))
        rows.append(cells)
    columns = [Column(title="stack"), *(Column(title=name, meaning=FACTS[name]) for name in named)]
    return [Table(columns=columns, rows=rows)]


def criteria_table() -> Table:
    """All criteria with unit, formula, value function, source and usual weight."""
    columns = [
        Column(title="criterion"),
        Column(title="unit"),
        Column(title="formula"),
        Column(title="worth, 0 to 1"),
        Column(title="comes from"),
        Column(title="usual weight"),
    ]
    rows = [
        [
            Cell(text=f"{each.title} (`{each.key}`)"),
            Cell(text=each.unit),
            Cell(text=each.formula),
            Cell(text=each.value_function),
            Cell(text=each.source),
            Cell(text=f"{each.weight:g}" + (f", if {each.asked_when}" if each.asked_when else "")),
        ]
        for each in CRITERIA
    ]
    return Table(columns=columns, rows=rows)


def _repeat(data: DecisionData) -> list[Block]:
    return [Code(text=data.command), Code(text=team_toml(data.decision.team))]
