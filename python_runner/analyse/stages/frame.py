"""Stages as frames: a row for each stage of each request, and one for each stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.latency import NAN, NO_FIGURES, Outcome, judge
from python_runner.analyse.stages.breakdown import Breakdown, Stage, breakdown
from python_runner.common.clock import NS_PER_MS

_IDENTITY = ("run_id", "condition_id", "stack", "title", "language", "reach")
_COLUMNS = (
    *_IDENTITY,
    "iteration",
    "is_warmup",
    "outcome",
    "stage",
    "ms",
    "share",
    "within",
    "request_ms",
    "unattributed_ms",
)
_OF_CONDITION = ("condition_id", "stack", "title", "version", "language", "reach")
_OF_STACK = (*_OF_CONDITION, "n", "request_ms", "unattributed_share", "within")
MOST_UNATTRIBUTED = 0.1
"""The part of an embedded engine's request that may be unattributed."""


def stage_frame(samples: pd.DataFrame) -> pd.DataFrame:
    """Take every request apart.

    Args:
        samples: one row for each request, warm-up and failed ones included.

    Returns:
        One row for each stage of each request that has an answer, in the order of `Stage`:

        - run_id, condition_id, stack, title, language, reach, iteration, is_warmup, outcome.
        - stage: a `Stage`'s value.
        - ms: its time. NaN if it cannot be told apart; then `within` names the stage that its
          time is part of, and is "" otherwise. All that are not NaN add up to `request_ms`.
        - share: ms / request_ms.
        - request_ms: request sent to the end of its answer, text included.
        - unattributed_ms: the part of the rest that nothing is known of.
    """
    rows = [row for sample in samples.to_dict(orient="records") for row in _rows(sample)]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    numbers = ("ms", "share", "request_ms", "unattributed_ms")
    return frame.astype({**dict.fromkeys(numbers, "float64"), "is_warmup": "bool"})


def stages_per_stack(samples: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """Where the time of each stack's complete timed requests goes.

    Means over the middle half of the requests (those between the quartiles of the time of a
    whole request): outliers are left out, and parts add up to the whole, which medians of parts
    would not.

    Args:
        samples: one row for each request.
        conditions: one row for each stack of a run; one without such a request is left out.

    Returns:
        One row for each condition, in their order:

        - condition_id, stack, title, version, language, reach; n: requests of the middle half.
        - request_ms: from sending a request to the end of its answer, text included.
        - one column for each `Stage`, by its value: ms, or NaN if it cannot be told apart.
        - within: stages that cannot be told apart, each with the stage whose time it is part of.
        - unattributed_share: of the whole.
    """
    timed = _timed(stage_frame(samples))
    rows = [
        _of_stack(condition, mine)
        for condition in conditions.to_dict(orient="records")
        if len(mine := timed[timed["condition_id"] == condition["condition_id"]])
    ]
    return pd.DataFrame(rows, columns=[*_OF_STACK, *(stage.value for stage in Stage)])


def _of_stack(condition: Mapping[Any, Any], mine: pd.DataFrame) -> dict[str, object]:
    times = _requests(mine)["request_ms"]
    # Quartiles that somebody had: of few requests, all lie between them.
    low, high = times.quantile(0.25, "lower"), times.quantile(0.75, "higher")
    middle = mine[mine["request_ms"].between(low, high)]
    whole = _requests(middle)
    hidden = middle.drop_duplicates("stage")
    request_ms = whole["request_ms"].mean()
    return {
        **{name: condition[name] for name in _OF_CONDITION},
        "n": len(whole),
        "request_ms": request_ms,
        "unattributed_share": whole["unattributed_ms"].mean() / request_ms,
        "within": {row["stage"]: row["within"] for _, row in hidden.iterrows() if row["within"]},
        **{str(stage): ms for stage, ms in middle.groupby("stage")["ms"].mean().items()},
    }


def _requests(stages: pd.DataFrame) -> pd.DataFrame:
    """One row for each request: all of them have a rest."""
    return stages[stages["stage"] == Stage.REST.value]


def _timed(stages: pd.DataFrame) -> pd.DataFrame:
    is_complete = stages["outcome"] == Outcome.COMPLETE.value
    return stages[is_complete & ~stages["is_warmup"]]


def _rows(sample: Mapping[Any, Any]) -> Iterator[dict[str, object]]:
    outcome, _ = judge(sample)
    found = None if outcome.value in NO_FIGURES else breakdown(sample)
    if found is None:
        return
    shared = {
        **{name: sample[name] for name in (*_IDENTITY, "iteration", "is_warmup")},
        "outcome": outcome.value,
        "request_ms": found.request_ns / NS_PER_MS,
        "unattributed_ms": found.unattributed_ns / NS_PER_MS,
    }
    for stage in Stage:
        ns = found.ns.get(stage, NAN)
        yield {
            **shared,
            "stage": stage.value,
            "ms": ns / NS_PER_MS,
            "share": ns / found.request_ns,
            "within": _within(found, stage),
        }


def _within(found: Breakdown, stage: Stage) -> str:
    return found.hidden[stage].value if stage not in found.ns and stage in found.hidden else ""
