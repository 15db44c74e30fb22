"""`polystack answers`: what the stacks of a run answered, beside a reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from python_runner.analyse.answers import AnswerVerdict, judge_answers
from python_runner.report.terminal.layout import NOTE, QUIET, WARNING, Column, FittingTable
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

_WIDE = 96


def answers_report(frames: Frames) -> RenderableType:
    """The stacks of one run with their verdicts, and where their answers first differ."""
    check = frames.answers.checks.to_dict(orient="records")
    if not check:
        return Text("The answers of this run have not been compared.")
    titles = frames.conditions.set_index("condition_id")["title"].to_dict()
    verdicts = judge_answers(frames.answers)
    rows = verdicts.assign(title=[titles[one] for one in verdicts["condition_id"]])
    return Group(
        Text(f"Run {check[0]['run_id']}: answers", style="bold"),
        Text(reference_words(check[0], frames.answers.stacks)),
        FittingTable(columns=_COLUMNS, rows=rows),
        *(Text(one, style=WARNING) for one in answer_warnings(check[0], frames.conditions)),
        *(Text(one, style=NOTE) for one in answer_notes(rows)),
        *_divergences(divergences(frames.answers, titles)),
        Text(ANSWERS_LEGEND, style=QUIET),
    )


def _divergences(lines: Sequence[str]) -> Iterator[RenderableType]:
    if lines:
        yield Text("\nWhere answers first leave the reference's own", style="bold")
    yield from (Text(f"  {line}") for line in lines)


def _verdict_style(row: Mapping[Any, Any]) -> str:
    styles = {AnswerVerdict.WRONG.value: "bold red", AnswerVerdict.RIGHT.value: "green"}
    return styles.get(row["verdict"], NOTE)


_COLUMNS = (
    Column(
        header="stack",
        cell=lambda row: (row["title"], ""),
        justify="left",
        style=lambda _row: "bold",
        may_wrap=True,
    ),
    Column(
        header="answers are",
        cell=lambda row: (row["verdict"], ""),
        justify="left",
        style=_verdict_style,
    ),
    Column(header="best", cell=lambda row: share_of_tokens(row, "best")),
    Column(header="near-ties", cell=lambda row: (str(row["near_ties"]), "")),
    Column(header="worst", cell=lambda row: (spell_nats(row["worst_shortfall"]), "")),
    Column(
        header="mean", cell=lambda row: (spell_nats(row["mean_shortfall"]), ""), from_width=_WIDE
    ),
    Column(header="equal", cell=lambda row: share_of_tokens(row, "equal")),
    Column(
        header="perplexity",
        cell=lambda row: (spell_perplexity_ratio(row["perplexity_ratio"]), ""),
    ),
    Column(
        header="difference",
        cell=lambda row: (spell_nats(row["mean_difference"]), ""),
        from_width=_WIDE,
    ),
)
