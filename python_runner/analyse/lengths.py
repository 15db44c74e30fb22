"""Answers of different lengths: what they make of figures that grow with their tokens.

Where a model may end its answer, stacks give answers of different lengths to one prompt, as soon
as one of them rounds otherwise. The E2E latency of the shorter one is lower, and nothing is faster
for it. TPOT and tokens a second are of a token, and compare.
"""

from __future__ import annotations

import pandas as pd

from python_runner.analyse.latency import Outcome

GROWS_WITH_LENGTH = frozenset({"e2e_ms"})
"""Figures of a request that grow with the tokens of its answer."""
_PROMPT = "reference_prompt_tokens"


def may_end(samples: pd.DataFrame) -> bool:
    """Whether the model was allowed to end answers; frames of older runs do not say, and: no."""
    return "may_end" in samples and bool(samples["may_end"].any())


def asks_unevenly(samples: pd.DataFrame) -> bool:
    """Whether some requests are more work than others: prompts, or answers, of other lengths."""
    has_other_prompts = _PROMPT in samples and samples[_PROMPT].nunique() > 1
    return has_other_prompts or may_end(samples)


def is_as_long(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    """Whether two stacks gave as many tokens in each iteration that both of them have."""
    if not may_end(left) and not may_end(right):
        return True  # what has another count has failed
    columns = ["iteration", "output_tokens"]
    both = left[columns].merge(right[columns], on="iteration")
    return bool((both["output_tokens_x"] == both["output_tokens_y"]).all())


def uneven_runs(measured: pd.DataFrame) -> frozenset[int]:
    """Runs in which stacks gave different numbers of tokens in one iteration.

    Args:
        measured: requests with their outcome (`request_metrics`).
    """
    if not may_end(measured):
        return frozenset()
    is_used = (measured["outcome"] == Outcome.COMPLETE.value) & ~measured["is_warmup"].astype(bool)
    used = measured[is_used & measured["may_end"].astype(bool)]
    lengths = used.groupby(["run_id", "iteration"])["output_tokens"].nunique()
    return frozenset(int(run_id) for run_id in lengths[lengths > 1].index.get_level_values(0))


def mean_lengths(measured: pd.DataFrame) -> pd.DataFrame:
    """How long the answers of each stack are, where the model was allowed to end them.

    Returns:
        One row for each stack with complete timed answers, in their order: condition_id, title;
        n; mean, shortest, longest: output tokens.
    """
    is_used = (measured["outcome"] == Outcome.COMPLETE.value) & ~measured["is_warmup"].astype(bool)
    used = measured[is_used] if may_end(measured) else measured.iloc[:0]
    rows = [
        {
            "condition_id": condition_id,
            "title": mine["title"].iloc[0],
            "n": len(mine),
            "mean": float(mine["output_tokens"].astype(float).mean()),
            "shortest": int(mine["output_tokens"].min()),
            "longest": int(mine["output_tokens"].max()),
        }
        for condition_id, mine in used.groupby("condition_id", sort=False)
    ]
    return pd.DataFrame(rows, columns=["condition_id", "title", "n", "mean", "shortest", "longest"])
