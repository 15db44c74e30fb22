"""What comparison runs say of each stack, in the shape of a frame of figures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.compare.noise import waiting_floor
from python_runner.analyse.decision.figures import COLUMNS, NAN
from python_runner.analyse.disturbed import waits_of
from python_runner.analyse.latency import Outcome, request_metrics
from python_runner.analyse.summary import FEWEST_FOR_INTERVAL, median_interval

_RATE = "tokens/s"
_METRICS = {
    "ttft_ms": ("ttft_ms", "ms"),
    "tpot_ms": ("tpot_ms", "ms"),
    "e2e_ms": ("e2e_ms", "ms"),
    "tokens_per_s": ("output_tokens_per_s", _RATE),
}
_QUIET = 0.05
"""Less than so much waiting for a processor is in the interval."""


def figures_of_runs(samples: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """Latencies, memory, cold start and the work of each stack of comparison runs.

    Args:
        samples: one row for each request.
        conditions: one row for each stack of a run; `struck` says whose answers are wrong.

    Returns:
        A frame of figures (`figures.COLUMNS`). `ttft_ms`, `tpot_ms`, `e2e_ms`, `tokens_per_s`:
        medians of the complete timed requests, with their 95 % interval, or with fewer than six
        requests the smallest and the largest; where something else had the processor, wide
        enough for what the stack may have been without it. `peak_memory_bytes`, `cold_start_s`:
        the most that was seen, and the median of the loads. `prompt_tokens`, `new_tokens`: of a
        request.
    """
    measured = request_metrics(samples)
    complete = measured[
        ~measured["is_warmup"].astype(bool) & (measured["outcome"] == Outcome.COMPLETE.value)
    ]
    rows = []
    for condition in conditions.to_dict(orient="records"):
        mine = complete[complete["condition_id"] == condition["condition_id"]]
        identity = {name: condition[name] for name in ("stack", "title", "language", "reach")}
        rows += [
            {**identity, "run_id": int(condition["run_id"]), **found}
            for found in (*_latencies(condition, mine), *_resources(condition), *_work(mine))
        ]
    numbers = dict.fromkeys(("value", "low", "high", "run_id"), "float64")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(numbers)


def _latencies(condition: Mapping[Any, Any], mine: pd.DataFrame) -> Iterator[dict[str, object]]:
    waiting = waiting_floor([waits_of(mine)])
    struck, error = str(condition.get("struck", "") or ""), str(condition["error"] or "")
    for figure, (metric, unit) in _METRICS.items():
        values = mine[metric].dropna().to_numpy(dtype=np.float64)
        if struck or not values.size:
            why = (
                f"its speed does not count: {struck}"
                if struck
                else error or "no comparison has an answer of it"
            )
            yield _row(figure, unit, NAN, why=why)
            continue
        low, high = median_interval(values)
        how = f"median of {values.size}, 95 % interval"
        if values.size < FEWEST_FOR_INTERVAL:
            low, high = float(values.min()), float(values.max())
            how = f"median of {values.size}, smallest and largest: too few for an interval"
        if waiting > _QUIET:
            how += f"; others had the processor: alone it may be {1 + waiting:.1f} times as fast"
            low, high = _alone(low, high, 1 + waiting, is_rate=unit == _RATE)
        yield _row(figure, unit, float(np.median(values)), low=low, high=high, source=how)


def _alone(low: float, high: float, times: float, *, is_rate: bool) -> tuple[float, float]:
    """The interval, wide enough for a stack that would have been so many times as fast alone."""
    return (low, high * times) if is_rate else (low / times, high)


def _resources(condition: Mapping[Any, Any]) -> Iterator[dict[str, object]]:
    peak, load = float(condition["peak_memory_bytes"]), float(condition["load_seconds"])
    yield _row("peak_memory_bytes", "bytes", peak, source="the most that was seen while it ran")
    loads = [float(one) for one in condition.get("loads") or [load]]
    yield _row(
        "cold_start_s",
        "s",
        load,
        low=min(loads, default=NAN),
        high=max(loads, default=NAN),
        source=f"median of {len(loads)} loads, smallest and largest",
    )


def _work(mine: pd.DataFrame) -> Iterator[dict[str, object]]:
    for figure, column in (("prompt_tokens", "prompt_tokens"), ("new_tokens", "output_tokens")):
        value = float(mine[column].median()) if len(mine) else NAN
        yield _row(figure, "tokens", value, source="median of the requests")


def _row(
    figure: str,
    unit: str,
    value: float,
    *,
    low: float = NAN,
    high: float = NAN,
    source: str = "",
    why: str = "",
) -> dict[str, object]:
    return {
        "figure": figure,
        "value": value,
        "unit": unit,
        "low": low,
        "high": high,
        "source": source,
        "why_unknown": why or ("not measured" if math.isnan(value) else ""),
    }
