"""What a reference found in the answers, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.answers import answer_figures
from python_runner.analyse.answers.limits import NEAR_TIE
from python_runner.report.facts import RANDOM_WARNING, shorten
from python_runner.report.units import MISSING, TIMES
from python_runner.store import AnswerFrames

ANSWERS_LEGEND = (
    "best: tokens that are the reference's best after the tokens that the engine itself had "
    f"chosen before. near-ties: others, at most {NEAR_TIE:g} nats less likely than the best. "
    "worst, mean: how much less likely, in nats. equal: at the same place in the reference's own "
    "greedy answer. perplexity and difference: on a fixed text, over the reference's, and of the "
    "log-probabilities (mean, absolute)."
)
MOST_DIVERGENCES = 12


def reference_words(check: Mapping[Any, Any], stacks: pd.DataFrame) -> str:
    """Who the reference is, and its perplexity if it scored the fixed text."""
    name = f"{check['reference_title']} {check['reference_version']}".strip()
    own = stacks[stacks["condition_id"].isna()]["logprobs"]
    text = np.asarray(own.iloc[0] if len(own) else [])
    if not text.size:
        return f"Reference: {name} in bf16."
    perplexity = math.exp(-text.mean())
    return f"Reference: {name} in bf16; its perplexity on the fixed text is {perplexity:.4g}."


def answer_warnings(check: Mapping[Any, Any], conditions: pd.DataFrame) -> Iterator[str]:
    """What changes how the whole table may be read."""
    if bool(conditions["is_synthetic"].any()):
        yield f"{RANDOM_WARNING} Agreement is about arithmetic only."
    if check["error"]:
        yield f"Not all could be compared: {check['error']}"


def answer_notes(rows: pd.DataFrame) -> Iterator[str]:
    """What was not compared, and why a stack's answers are wrong; rows of `judge_answers`."""
    for row in rows.to_dict(orient="records"):
        if row["reason"]:
            yield f"{row['title']}: {row['reason']}."
        if row["passage_error"]:
            said = shorten(str(row["passage_error"]))
            yield f"{row['title']} did not score the fixed text: {said}"
        if row["cut_otherwise"]:
            yield (
                f"{row['title']}: {row['cut_otherwise']} of {row['answers']} answers came as text "
                "and could not be cut into as many tokens as it counts; they are judged as a "
                "whole, if at all."
            )
        if row["unread"]:
            yield f"{row['title']}: {row['unread']} of {row['answers']} answers could not be read."


def divergences(found: AnswerFrames, titles: Mapping[Any, str]) -> list[str]:
    """Where answers first leave the reference's own, a sentence each; the first of them."""
    figures = answer_figures(found.answers)
    differing = figures[figures["first_divergence"].notna()]
    lines = [
        _divergence(row, titles)
        for row in differing.head(MOST_DIVERGENCES).to_dict(orient="records")
    ]
    if len(differing) > MOST_DIVERGENCES:
        more = len(differing) - MOST_DIVERGENCES
        lines.append(f"… and {more} more; `polystack export` has all")
    return lines


def _divergence(row: Mapping[Any, Any], titles: Mapping[Any, str]) -> str:
    how = "" if row["tokens_from"] in {"engine", "same text"} else ", cut from text"
    return (
        f"{titles[row['condition_id']]}, iteration {row['iteration']}: token "
        f"{row['first_divergence']:.0f} of {row['tokens']:.0f}, {row['shortfall_there']:.2g} "
        f"nats less likely (the two best are {row['margin_there']:.2g} apart); "
        f"{row['equal_tokens']:.0f} tokens are equal{how}"
    )


def share_of_tokens(row: Mapping[Any, Any], name: str) -> tuple[str, str]:
    """A share of the tokens, and of how many; a dash where none was compared."""
    if not row["tokens"]:
        return MISSING, ""
    return f"{row[f'{name}_share']:.1%}", f"{row[f'{name}_tokens']} of {row['tokens']}"


def spell_nats(value: float) -> str:
    """`0.021`, or a dash for NaN."""
    return f"{value:.2g}" if math.isfinite(value) else MISSING


def spell_perplexity_ratio(value: float) -> str:
    """`1.003` with a multiplication sign, or a dash for NaN."""
    return f"{value:.3f}{TIMES}" if math.isfinite(value) else MISSING
