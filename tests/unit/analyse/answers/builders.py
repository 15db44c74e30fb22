"""Frames of one check, as the store would read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from python_runner.store import AnswerFrames

LogProbabilities = Sequence[float] | npt.NDArray[np.float64]
RUN = 1
TOKENS = 24


def answer(
    condition_id: int,
    shortfalls: Sequence[float] = (0.0,) * TOKENS,
    *,
    iteration: int = 1,
    tokens_from: str = "engine",
    error: str = "",
) -> dict[str, Any]:
    """An answer whose tokens are so much less likely than the best, in nats."""
    short = np.asarray(shortfalls, dtype=float)
    ids = np.arange(10, 10 + short.size)
    best = np.where(short > 0, 99, ids)
    return {
        "run_id": RUN,
        "condition_id": condition_id,
        "sample_id": condition_id * 100 + iteration,
        "iteration": iteration,
        "tokens_from": tokens_from,
        "error": error,
        "token_ids": ids,
        "best_ids": best,
        # The reference goes on as the answer does until the first token that is not its best.
        "greedy_ids": np.where(np.cumsum(short) > 0, 99, ids),
        "logprobs": -1.0 - short,
        "best_logprobs": np.full(short.size, -1.0),
        "second_logprobs": np.full(short.size, -1.0) - np.where(short > 0, short, 2.0),
    }


def stack(condition_id: int | None, bits: float, logprobs: LogProbabilities = ()) -> dict[str, Any]:
    return {
        "run_id": RUN,
        "condition_id": condition_id,
        "bits": bits,
        "logprobs": np.asarray(logprobs, dtype=float),
        "error": "" if len(logprobs) else "it does not score tokens",
    }


def frames(
    answers: Sequence[dict[str, Any]],
    *,
    bits: float = 16,
    passages: Mapping[int | None, LogProbabilities] | None = None,
    error: str = "",
) -> AnswerFrames:
    """A check of the stacks that have answers (always stack 1), and the reference."""
    conditions: list[int | None] = sorted({1, *(one["condition_id"] for one in answers)})
    given = passages or {}
    stacks = pd.DataFrame([stack(one, bits, given.get(one, ())) for one in [*conditions, None]])
    check = {
        "run_id": RUN,
        "reference_title": "transformers",
        "reference_version": "5",
        "build": {},
        "error": error,
    }
    return AnswerFrames(
        checks=pd.DataFrame([check]),
        stacks=stacks.assign(condition_id=stacks["condition_id"].astype("Int64")),
        answers=pd.DataFrame(answers, columns=list(answer(1))),
    )


NAN = math.nan
