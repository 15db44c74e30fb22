"""Answers that stand on their own: a row each, with its figures, its stack and its verdict."""

from __future__ import annotations

import numpy as np
import pandas as pd

from python_runner.analyse.answers.tokens import FIGURES, answer_figures

_STACK = ("run_id", "stack", "title", "model", "is_synthetic", "precision")
_JUDGED = ("verdict", "reason", "reference")


def tidy_answers(answers: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """One row for each answer that was held against the reference.

    Args:
        answers: of `store.AnswerFrames`.
        conditions: with what `with_answers` adds.

    Returns:
        What `answer_figures` says; `verdict`, `reason` and `reference` of its stack; and, token by
        token, `token_ids`, `greedy_ids` (the reference's own) and `shortfalls` (nats), as lists.
    """
    figures = answer_figures(answers)
    described = conditions[["condition_id", *_STACK]].copy()
    for name in _JUDGED:
        described[name] = [
            None if found is None else found[name] for found in conditions["answers"]
        ]
    rows = figures.drop(columns=["run_id"]).merge(described, on="condition_id")
    rows["shortfalls"] = [
        np.where(ids == best, 0.0, top - own).round(6).tolist()
        for ids, best, top, own in zip(
            rows["token_ids"],
            rows["best_ids"],
            rows["best_logprobs"],
            rows["logprobs"],
            strict=True,
        )
    ]
    for name in ("token_ids", "greedy_ids"):
        rows[name] = [values.tolist() for values in rows[name]]
    rows = rows.rename(columns={"is_synthetic": "random_weights"})
    stack = ["run_id", "stack", "title", "model", "random_weights", "precision"]
    own = ["iteration", "tokens_from", "error", *FIGURES, "token_ids", "greedy_ids", "shortfalls"]
    return rows[[*stack, *_JUDGED, *own]]
