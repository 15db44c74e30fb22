"""The comparison of one run: every two of its stacks, with what its looks may spend."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pandas as pd

from python_runner.analyse.compare.looks import look_alpha
from python_runner.analyse.compare.pairs import compare_pairs
from python_runner.analyse.compare.verdict import ALPHA
from python_runner.analyse.latency import request_metrics
from python_runner.analyse.struck import struck_out

METRICS = ("e2e_ms", "ttft_ms", "tpot_ms")
"""What is compared; each is a family of tests of its own."""


def pairs_of_run(
    samples: pd.DataFrame,
    conditions: pd.DataFrame,
    runs: pd.DataFrame,
    *,
    metric: str = "e2e_ms",
) -> pd.DataFrame:
    """Compare every two stacks of one run that have values of `metric`.

    Args:
        samples: one row for each request.
        conditions: one row for each stack.
        runs: one row.
        metric: a figure of `request_metrics`.

    Returns:
        `compare_pairs`'s rows, and `alpha`, the error that test and interval may have. The
        stack with the larger median stands left, and the pairs of the stack with the smallest
        come first. A stack that is struck out (`struck` in `conditions`) has no pairs.
    """
    measured = request_metrics(samples)
    timed = measured[~measured["is_warmup"].astype(bool) & measured[metric].gt(0)]
    timed = timed[~timed["condition_id"].isin(struck_out(conditions).keys())]
    medians = timed.groupby("condition_id")[metric].median().sort_values(kind="stable")
    pairs = [(int(larger), int(smaller)) for smaller, larger in combinations(medians.index, 2)]
    alpha = alpha_of_run(samples, runs.to_dict(orient="records")[0]) if len(runs) else ALPHA
    compared = compare_pairs(samples, conditions, pairs, metric=metric, alpha=alpha)
    return compared.assign(alpha=alpha)


def alpha_of_run(samples: pd.DataFrame, run: Mapping[Any, Any]) -> float:
    """What the latest look at a run may spend; all of it where it was looked at once.

    A run that was broken off between two looks is looked at now.
    """
    looks = run.get("looks")
    if not looks or not looks["at"]:
        return ALPHA
    at, limit = list(looks["at"]), int(looks["limit"])
    timed = samples[~samples["is_warmup"].astype(bool)]
    done = int(timed["iteration"].max()) if len(timed) else 0
    if at[-1] < done <= limit:
        at.append(done)
    return look_alpha(at, limit)
