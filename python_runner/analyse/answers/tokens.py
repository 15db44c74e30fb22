"""The figures of one answer beside the reference.

Two ways of looking at it. *Teacher-forced*: each token after those that the engine itself had
chosen before it, so that one early difference does not make all later ones wrong; verdicts rest
on this. *Free-running*: beside the reference's own greedy answer, token by token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.answers.limits import NEAR_TIE
from python_runner.analyse.latency import NAN

FIGURES = (
    "tokens",
    "best_tokens",
    "near_ties",
    "far_tokens",
    "sum_shortfall",
    "worst_shortfall",
    "worst_place",
    "equal_tokens",
    "first_divergence",
    "margin_there",
    "shortfall_there",
)


def answer_figures(answers: pd.DataFrame) -> pd.DataFrame:
    """Add the figures of each answer.

    Args:
        answers: of `store.AnswerFrames`.

    Returns:
        `answers` with, all NaN for an answer that could not be read:

        - tokens: that were scored. best_tokens: of them the reference's best, given the same
          tokens before. near_ties, far_tokens: of the others, those whose shortfall (log-
          probability of the reference's best less theirs) is at most `NEAR_TIE`, or more.
        - sum_shortfall, worst_shortfall in nats; worst_place: its token, from 1.
        - equal_tokens: at the same place in the reference's own greedy answer.
        - first_divergence: the first token, from 1, that is not; NaN if all are equal.
        - margin_there: between the reference's two best tokens there; shortfall_there.
    """
    rows = [_figures(row) for row in answers.to_dict(orient="records")]
    figures = pd.DataFrame(rows, columns=list(FIGURES), index=answers.index, dtype=float)
    return pd.concat([answers, figures], axis=1)


def _figures(answer: Mapping[Any, Any]) -> dict[str, float]:
    ids, greedy = answer["token_ids"], answer["greedy_ids"]
    if not len(ids):
        return dict.fromkeys(FIGURES, NAN)
    is_best = ids == answer["best_ids"]
    shortfall = np.where(is_best, 0.0, answer["best_logprobs"] - answer["logprobs"])
    is_equal = ids[: len(greedy)] == greedy[: len(ids)]
    first = NAN if is_equal.all() else int(np.argmin(is_equal))
    there = None if is_equal.all() else int(first)
    margins = answer["best_logprobs"] - answer["second_logprobs"]
    return {
        "tokens": len(ids),
        "best_tokens": int(is_best.sum()),
        "near_ties": int((~is_best & (shortfall <= NEAR_TIE)).sum()),
        "far_tokens": int((shortfall > NEAR_TIE).sum()),
        "sum_shortfall": float(shortfall.sum()),
        "worst_shortfall": float(shortfall.max()),
        "worst_place": int(shortfall.argmax()) + 1,
        "equal_tokens": int(is_equal.sum()),
        "first_divergence": NAN if there is None else there + 1,
        "margin_there": NAN if there is None else float(margins[there]),
        "shortfall_there": NAN if there is None else float(shortfall[there]),
    }
