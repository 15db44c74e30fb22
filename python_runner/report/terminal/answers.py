"""`polystack answers`: what the stacks of a run answered, beside a reference."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from python_runner.analyse.answers import AnswerVerdict, answer_figures, judge_answers
from python_runner.analyse.answers.limits import NEAR_TIE
from python_runner.report.facts import RANDOM_WARNING, shorten
from python_runner.report.terminal.layout import NOTE, QUIET, WARNING, Column, FittingTable
from python_runner.report.units import MISSING, TIMES
from python_runner.store import Frames

_WIDE = 96
_MOST_DIVERGENCES = 12
_LEGEND = (
    "best: tokens that are the reference's best after the tokens that the engine itself had "
    f"chosen before. near-ties: others, at most {NEAR_TIE:g} nats less likely than the best. "
    "worst, mean: how much less likely, in nats. equal: at the same place in the reference's own "
    "greedy answer. perplexity and difference: on a fixed text, over the reference's, and of the "
    "log-probabilities (mean, absolute)."
)


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
        Text(_reference(check[0], frames.answers.stacks)),
        FittingTable(columns=_COLUMNS, rows=rows),
        *_notes(rows, check[0], frames),
        *_divergences(frames, titles),
        Text(_LEGEND, style=QUIET),
    )


def _reference(check: Mapping[Any, Any], stacks: pd.DataFrame) -> str:
    name = f"{check['reference_title']} {check['reference_version']}".strip()
    own = stacks[stacks["condition_id"].isna()]["logprobs"]
    text = np.asarray(own.iloc[0] if len(own) else [])
    if not text.size:
        return f"Reference: {name} in bf16."
    perplexity = math.exp(-text.mean())
    return f"Reference: {name} in bf16; its perplexity on the fixed text is {perplexity:.4g}."


def _notes(
    rows: pd.DataFrame, check: Mapping[Any, Any], frames: Frames
) -> Iterator[RenderableType]:
    if bool(frames.conditions["is_synthetic"].any()):
        yield Text(f"{RANDOM_WARNING} Agreement is about arithmetic only.", style=WARNING)
    if check["error"]:
        yield Text(f"Not all could be compared: {check['error']}", style=WARNING)
    for row in rows.to_dict(orient="records"):
        if row["reason"]:
            yield Text(f"{row['title']}: {row['reason']}.", style=NOTE)
        if row["passage_error"]:
            said = shorten(str(row["passage_error"]))
            yield Text(f"{row['title']} did not score the fixed text: {said}", style=NOTE)
        if row["cut_otherwise"]:
            yield Text(
                f"{row['title']}: {row['cut_otherwise']} of {row['answers']} answers came as text "
                "and could not be cut into as many tokens as it counts; they are judged as a "
                "whole, if at all.",
                style=NOTE,
            )
        if row["unread"]:
            yield Text(
                f"{row['title']}: {row['unread']} of {row['answers']} answers could not be read.",
                style=NOTE,
            )


def _divergences(frames: Frames, titles: Mapping[Any, str]) -> Iterator[RenderableType]:
    figures = answer_figures(frames.answers.answers)
    differing = figures[figures["first_divergence"].notna()]
    if not len(differing):
        return
    yield Text("\nWhere answers first leave the reference's own", style="bold")
    for row in differing.head(_MOST_DIVERGENCES).to_dict(orient="records"):
        how = "" if row["tokens_from"] in {"engine", "same text"} else ", cut from text"
        yield Text(
            f"  {titles[row['condition_id']]}, iteration {row['iteration']}: token "
            f"{row['first_divergence']:.0f} of {row['tokens']:.0f}, {row['shortfall_there']:.2g} "
            f"nats less likely (the two best are {row['margin_there']:.2g} apart); "
            f"{row['equal_tokens']:.0f} tokens are equal{how}"
        )
    if len(differing) > _MOST_DIVERGENCES:
        yield Text(f"  … and {len(differing) - _MOST_DIVERGENCES} more; `polystack export` has all")


def _share(row: Mapping[Any, Any], name: str) -> tuple[str, str]:
    if not row["tokens"]:
        return MISSING, ""
    return f"{row[f'{name}_share']:.1%}", f"{row[f'{name}_tokens']} of {row['tokens']}"


def _nats(value: float) -> str:
    return f"{value:.2g}" if math.isfinite(value) else MISSING


def _ratio(value: float) -> str:
    return f"{value:.3f}{TIMES}" if math.isfinite(value) else MISSING


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
    Column(header="best", cell=lambda row: _share(row, "best")),
    Column(header="near-ties", cell=lambda row: (str(row["near_ties"]), "")),
    Column(header="worst", cell=lambda row: (_nats(row["worst_shortfall"]), "")),
    Column(header="mean", cell=lambda row: (_nats(row["mean_shortfall"]), ""), from_width=_WIDE),
    Column(header="equal", cell=lambda row: _share(row, "equal")),
    Column(
        header="perplexity",
        cell=lambda row: (_ratio(row["perplexity_ratio"]), ""),
    ),
    Column(
        header="difference",
        cell=lambda row: (_nats(row["mean_difference"]), ""),
        from_width=_WIDE,
    ),
)
