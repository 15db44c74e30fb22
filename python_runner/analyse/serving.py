"""The price of serving: the same engine over HTTP beside itself in process, in one run."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from python_runner.analyse.compare import compare_pairs
from python_runner.analyse.compare.family import Pair
from python_runner.analyse.struck import struck_out

METRICS = ("e2e_ms", "ttft_ms", "tpot_ms")


def price_of_serving(
    samples: pd.DataFrame,
    conditions: pd.DataFrame,
    embedded_of: Mapping[str, str],
    *,
    metrics: tuple[str, ...] = METRICS,
) -> pd.DataFrame:
    """Compare each served stack with the embedded one that runs the same engine.

    Args:
        samples: one row for each request.
        conditions: one row for each stack of a run.
        embedded_of: name of each served stack to that of its embedded twin; those that are not
            in the run are left out.
        metrics: figures of `request_metrics`. The pairs are one family for each.

    Returns:
        Rows of `compare_pairs`, left the served stack, right the embedded one, so that `ratio`
        is what serving multiplies the time by. Empty if no run has both. A stack that is struck
        out has no price and is none.
    """
    pairs = _pairs(conditions, embedded_of)
    tables = [
        compare_pairs(samples, conditions, pairs, metric=metric)
        for metric in (metrics if pairs else metrics[:1])
    ]
    return pd.concat(tables, ignore_index=True)


def _pairs(conditions: pd.DataFrame, embedded_of: Mapping[str, str]) -> list[Pair]:
    """Served and embedded, as values of `condition_id`, in order of measurement."""
    struck = struck_out(conditions)
    known = {
        (int(row["run_id"]), str(row["stack"])): int(row["condition_id"])
        for row in conditions.to_dict(orient="records")
        if row["condition_id"] not in struck
    }
    twins = {
        identity: known.get((run, _twin(stack, embedded_of)))
        for (run, stack), identity in known.items()
    }
    return [(served, embedded) for served, embedded in twins.items() if embedded is not None]


def _twin(stack: str, embedded_of: Mapping[str, str]) -> str:
    """The embedded stack with the same knobs (`NAME@knobs`); empty if there is none."""
    name, separator, knobs = stack.partition("@")
    return f"{embedded_of[name]}{separator}{knobs}" if name in embedded_of else ""
