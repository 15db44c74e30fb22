"""Ablations, answers and claims: what else the run says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from python_runner.analyse.ablations import ablation_effects
from python_runner.analyse.answers import AnswerVerdict, judge_answers
from python_runner.analyse.claims import ClaimVerdict, Finding
from python_runner.analyse.compare import Verdict
from python_runner.report.claims import ClaimRow, ClaimsData, spell_cell, spell_grounds, spell_seen
from python_runner.report.contents.cells import column, figure, numbers, said
from python_runner.report.contents.reported import ReportedComparison
from python_runner.report.document import Block, Cell, Paragraph, Points, Section, Table, Tone
from python_runner.report.words.ablations import (
    ABLATIONS_LEGEND,
    figures_of,
    meaning_of,
    sentence,
)
from python_runner.report.words.answers import (
    ANSWERS_LEGEND,
    answer_notes,
    answer_warnings,
    divergences,
    reference_words,
    share_of_tokens,
    spell_nats,
    spell_perplexity_ratio,
)
from python_runner.store import Frames

CLAIMS_TITLE = "What published claims are worth here"
CLAIMS_LEGEND = (
    "A verdict holds under the conditions that were run. Ratio: left over right, with its 95 % "
    "interval. A claim with several parts is supported if all of them are, and refuted if one is."
)


def ablations_section(run: ReportedComparison) -> Section | None:
    """What was changed one at a time, in this run or to explain it; None without any."""
    blocks: list[Block] = []
    for frames in (run.frames, *run.explaining):
        effects = effects_of(frames)
        if effects.empty:
            continue
        caption = f"Run {frames.runs['run_id'].iloc[0]}"
        rows = [_effect(row) for row in effects.to_dict(orient="records")]
        blocks.append(Table(columns=_ABLATION_COLUMNS, rows=rows, caption=caption))
    if not blocks:
        return None
    return Section(
        key="ablations",
        title="Why it came out so: one thing changed at a time",
        blocks=[*blocks, Paragraph(text=ABLATIONS_LEGEND)],
    )


def effects_of(frames: Frames) -> pd.DataFrame:
    """`ablation_effects`' rows of one run; empty if its study has none."""
    study = json.loads(str(frames.runs["study_json"].iloc[0]) or "{}")
    asked = study.get("ablations") or []
    return ablation_effects(frames.samples, frames.conditions, asked) if asked else pd.DataFrame()


_ABLATION_COLUMNS = (
    column("question"),
    column("effect", "of the change, with its 95 % interval, and the verdict"),
    column("what it means"),
    column("figures"),
)


def _effect(row: Mapping[Any, Any]) -> list[Cell]:
    is_unknown = bool(row["lack"]) or row["verdict"] == Verdict.NOT_KNOWN.value
    return [
        Cell(text=str(row["question"])),
        Cell(text=sentence(row), tone=Tone.UNKNOWN if is_unknown else Tone.PLAIN),
        said(meaning_of(row)),
        said(figures_of(row)),
    ]


def answers_section(run: ReportedComparison) -> Section:
    """Whether the stacks answered what the model says."""
    title = "The answers"
    found = run.frames.answers
    checks = found.checks.to_dict(orient="records")
    if not checks:
        text = (
            "The answers of this run have not been held against a reference. "
            f"`polystack answers {run.facts.run_id}` does that."
        )
        return Section(key="answers", title=title, blocks=[Paragraph(text=text)])
    conditions = run.frames.conditions
    titles = conditions.set_index("condition_id")["title"].to_dict()
    verdicts = judge_answers(found)
    rows = verdicts.assign(title=[titles[one] for one in verdicts["condition_id"]])
    blocks: list[Block] = [
        Paragraph(text=reference_words(checks[0], found.stacks)),
        *(Paragraph(text=one, is_warning=True) for one in answer_warnings(checks[0], conditions)),
        Table(columns=_ANSWER_COLUMNS, rows=[_answer(row) for row in rows.to_dict("records")]),
        *_points("", list(answer_notes(rows))),
        *_points("Where answers first leave the reference's own:", divergences(found, titles)),
        Paragraph(text=ANSWERS_LEGEND),
    ]
    return Section(key="answers", title=title, blocks=blocks)


_ANSWER_COLUMNS = (
    column("stack"),
    column("answers are"),
    numbers("best", "tokens that are the reference's best"),
    numbers("near-ties", "almost as likely as the best"),
    numbers("worst", "nats less likely than the best"),
    numbers("mean", "nats less likely than the best"),
    numbers("equal", "at the same place in the reference's own answer"),
    numbers("perplexity", "on a fixed text, over the reference's"),
    numbers("difference", "of the log-probabilities, mean, absolute"),
)


def _answer(row: Mapping[Any, Any]) -> list[Cell]:
    tones = {AnswerVerdict.WRONG.value: Tone.BAD, AnswerVerdict.RIGHT.value: Tone.GOOD}
    verdict = str(row["verdict"])
    return [
        Cell(text=str(row["title"])),
        Cell(text=verdict, tone=tones.get(verdict, Tone.UNKNOWN), note=str(row["reason"])),
        _share(row, "best"),
        figure(row["near_ties"], str),
        figure(row["worst_shortfall"], spell_nats),
        figure(row["mean_shortfall"], spell_nats),
        _share(row, "equal"),
        figure(row["perplexity_ratio"], spell_perplexity_ratio),
        figure(row["mean_difference"], spell_nats),
    ]


def _share(row: Mapping[Any, Any], name: str) -> Cell:
    share, of = share_of_tokens(row, name)
    return said(f"{share} ({of})" if of else share)


def _points(heading: str, items: Sequence[str]) -> Iterator[Block]:
    if items and heading:
        yield Paragraph(text=heading)
    if items:
        yield Points(items=items)


def claims_section(data: ClaimsData) -> Section:
    """Each claim with its verdict in every run."""
    body = _grounds(data) if len(data.columns) == 1 else _side_by_side(data)
    blocks: list[Block] = [
        Paragraph(text=f"{data.claims.title}. {data.claims.source}"),
        *([Paragraph(text=data.warning, is_warning=True)] if data.warning else []),
        body,
        *_points("", [*data.marks, *data.exclusions]),
        *_points("Our reading:", data.readings),
        Paragraph(text=CLAIMS_LEGEND),
        *_points("", list(_to_run(data))),
    ]
    return Section(key="claims", title=CLAIMS_TITLE, blocks=blocks)


def _to_run(data: ClaimsData) -> Iterator[str]:
    for one in data.columns:
        if one.to_run:
            run = one.judgement.run_id
            yield f"What run {run} lacks, to be judged on all claims: `{one.to_run}`"


def _grounds(data: ClaimsData) -> Table:
    return Table(
        columns=(column("claim"), column("verdict"), column("seen"), column("why")),
        rows=[
            [
                Cell(text=_says(row)),
                _verdict(row.verdicts[0]),
                *_seen(row.findings[0]),
            ]
            for row in data.rows
        ],
    )


def _seen(finding: Finding | None) -> tuple[Cell, Cell]:
    if finding is None:
        return Cell(text="its parts, below"), Cell(text="")
    effect = spell_seen(finding.effect) if finding.effect else ""
    return said(effect), Cell(text=spell_grounds(finding))


def _side_by_side(data: ClaimsData) -> Table:
    return Table(
        columns=(column("claim"), *(column(one.heading) for one in data.columns)),
        rows=[
            [
                Cell(text=_says(row)),
                *(
                    _verdict(verdict, spell_cell(finding))
                    for verdict, finding in zip(row.verdicts, row.findings, strict=True)
                ),
            ]
            for row in data.rows
        ],
    )


def _says(row: ClaimRow) -> str:
    return f"{row.label}: {row.says}"


def _verdict(verdict: ClaimVerdict, seen: str = "") -> Cell:
    tone = Tone.UNKNOWN if verdict is ClaimVerdict.INCONCLUSIVE else Tone.PLAIN
    return Cell(text=f"{verdict.value}: {seen}" if seen else verdict.value, tone=tone)
