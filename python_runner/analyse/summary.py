"""One row for each stack: what its samples say, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from python_runner.analyse.latency import NAN, Outcome, request_metrics
from python_runner.analyse.lengths import uneven_runs
from python_runner.analyse.own_error import own_error_ms

CONFIDENCE = 0.95
RESAMPLES = 9_999
_SEED = 20240
FEWEST_FOR_INTERVAL = 6
"""With five samples even the whole range holds the median with 93.75 % only (1 - 2 / 2^5)."""

_IDENTITY = [
    "run_id",
    "condition_id",
    "stack",
    "title",
    "language",
    "reach",
    "version",
    "load_seconds",
    "peak_memory_bytes",
    "error",
]


def summarise(samples: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """Summarise the timed requests of each stack, fastest first.

    The spread is the middle half (p25 to p75) and not a standard or absolute deviation:
    latencies lean to the slow side, and a symmetric figure would hide that.

    Args:
        samples: one row for each request; warm-up requests are counted, not used.
        conditions: one row for each stack of a run; a stack without samples keeps its row.

    Returns:
        One row for each condition, ordered by median E2E latency within its run (by TPOT where
        stacks' answers have different lengths), stacks without one last. Besides the condition's
        own columns:

        - n: complete timed requests, which E2E figures stand on. n_timed: all timed ones.
          n_failed, n_early_stops, n_suspended (something did not run meanwhile): those left out.
          n_warmup.
        - e2e_ms: median; e2e_min_ms, e2e_p25_ms, e2e_p75_ms, e2e_max_ms.
        - e2e_low_ms, e2e_high_ms: 95 % interval of the median (see `median_interval`).
        - output_tokens: mean of the complete answers.
        - ttft_ms, tpot_ms, decode_tokens_per_s, output_tokens_per_s: medians.
        - ratio_to_fastest: e2e_ms over the smallest of the same run and path: an embedded stack
          beside embedded ones, a served one beside served ones. None where answers to one prompt
          have different lengths (`lengths`).
        - struck: why the stack's speed does not count (`analyse.answers`), else "". It is no
          fastest stack and has no ratio, and stands last.
        - ttft_own_error_ms, itl_own_error_ms: what our own clock adds to a served stack's median
          TTFT and ITL (see `own_error_ms`). callback_cost_ns: what stamping takes from an
          embedded engine, for each token. NaN where they were not measured.
    """
    measured = request_metrics(samples)
    rows = [
        {
            **{str(name): condition[name] for name in _IDENTITY},
            **_own_errors(condition),
            "struck": condition.get("struck", ""),
            **_stack_figures(measured[measured["condition_id"] == condition["condition_id"]]),
        }
        for condition in conditions.to_dict(orient="records")
    ]
    columns = [*_IDENTITY, *_own_errors({}), "struck", *_stack_figures(measured.iloc[:0])]
    summary = pd.DataFrame(rows, columns=columns)
    is_struck = summary["struck"] != ""
    is_uneven = summary["run_id"].isin(uneven_runs(measured))
    counted = summary["e2e_ms"].where(~is_struck & ~is_uneven)
    fastest = counted.groupby([summary["run_id"], summary["reach"]]).transform("min")
    summary["ratio_to_fastest"] = counted / fastest
    by = summary["tpot_ms"].where(is_uneven & summary["e2e_ms"].notna(), summary["e2e_ms"])
    order = summary.assign(_is_struck=is_struck, _by=by).sort_values(
        ["run_id", "_is_struck", "_by"], na_position="last", kind="stable", ignore_index=True
    )
    return order.drop(columns=["_is_struck", "_by"])


def median_interval(values: Sequence[float] | npt.NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of the median: percentile bootstrap, seeded, so always the same.

    The percentile method and not BCa, whose jackknife is not valid for a median. NaN for
    fewer samples than `FEWEST_FOR_INTERVAL`.
    """
    data = np.asarray(values, dtype=np.float64)
    if data.size < FEWEST_FOR_INTERVAL:
        return NAN, NAN
    interval = stats.bootstrap(
        (data,),
        np.median,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def _own_errors(condition: Mapping[Any, Any]) -> dict[str, float]:
    error, cost = condition.get("client_error"), condition.get("callback_cost_ns")
    return {
        "ttft_own_error_ms": own_error_ms(error, "ttft", 50),
        "itl_own_error_ms": own_error_ms(error, "itl", 50),
        "callback_cost_ns": NAN if cost is None else float(cost),
    }


def _stack_figures(measured: pd.DataFrame) -> dict[str, float]:
    timed = measured[~measured["is_warmup"].astype(bool)]
    complete = timed[timed["outcome"] == Outcome.COMPLETE.value]
    e2e = complete["e2e_ms"].to_numpy(dtype=np.float64)
    low, high = median_interval(e2e)
    quantiles = np.quantile(e2e, [0, 0.25, 0.5, 0.75, 1]) if e2e.size else np.full(5, NAN)
    minimum, p25, median, p75, maximum = (float(value) for value in quantiles)
    return {
        "n": len(complete),
        "n_timed": len(timed),
        "n_failed": int((timed["outcome"] == Outcome.FAILED.value).sum()),
        "n_early_stops": int((timed["outcome"] == Outcome.EARLY_STOP.value).sum()),
        "n_suspended": int((timed["outcome"] == Outcome.SUSPENDED.value).sum()),
        "n_warmup": len(measured) - len(timed),
        "e2e_ms": median,
        "e2e_low_ms": low,
        "e2e_high_ms": high,
        "e2e_min_ms": minimum,
        "e2e_p25_ms": p25,
        "e2e_p75_ms": p75,
        "e2e_max_ms": maximum,
        "output_tokens": float(complete["output_tokens"].astype(float).mean()),
        **{
            name: float(timed[name].median())
            for name in ("ttft_ms", "tpot_ms", "decode_tokens_per_s", "output_tokens_per_s")
        },
    }
