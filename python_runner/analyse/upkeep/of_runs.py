"""The figures of upkeep that stored runs tell: starting, memory, energy, many users, crashes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.latency import NAN
from python_runner.analyse.load.percentiles import Floats, fewest_for, percentile_of
from python_runner.analyse.load.request import LoadOutcome, request_figures
from python_runner.analyse.load.throughput import throughput
from python_runner.analyse.load.window import CLOSED, steady_window
from python_runner.analyse.resources import resources_per_stack
from python_runner.analyse.summary import FEWEST_FOR_INTERVAL, median_interval
from python_runner.analyse.upkeep.row import (
    COLD_START,
    ENERGY,
    PEAK_MEMORY,
    RECOVERY,
    THROUGHPUT,
    TOKENS,
    TTFT,
    Row,
)
from python_runner.store import Frames, RunKind

_P95 = 95
_RANDOM = "random weights"


@dataclass(frozen=True)
class Runs:
    """Stored runs of one model."""

    frames: Frames
    model: str
    """Its name; figures of other models do not count, but for recovery (see `recovery`)."""

    @cached_property
    def conditions(self) -> pd.DataFrame:
        """The stacks of all runs of this model, with the kind of their run, oldest first."""
        kinds = self.frames.runs[["run_id", "kind"]]
        mine = self.frames.conditions[self.frames.conditions["model"] == self.model]
        return mine.merge(kinds, on="run_id", how="left").sort_values("condition_id")

    @cached_property
    def resources(self) -> pd.DataFrame:
        """`resources_per_stack`, by condition."""
        return resources_per_stack(self.frames.samples).set_index("condition_id")

    def rows_of(self, stack: str) -> Iterator[Row]:
        """All figures of a stack."""
        mine = self.conditions[self.conditions["stack"] == stack]
        yield cold_start(mine)
        yield recovery(self.frames.recoveries, stack, self.model)
        yield peak_memory(mine)
        yield energy(mine, self.resources)
        yield from at_users(self.frames, mine)


def cold_start(conditions: pd.DataFrame) -> Row:
    """Process start to ready: the median of the loads of the stack's last run that has any."""
    row = _last(conditions, conditions["loads"].map(len) > 0)
    if row is None:
        return Row(figure=COLD_START, why_unknown=_no_run(conditions, "was loaded"))
    loads = np.asarray(row["loads"], dtype=np.float64)
    return _of_run(COLD_START, row, f"{len(loads)} loads", _median(loads))


def peak_memory(conditions: pd.DataFrame) -> Row:
    """The peak of the stack's last run: of a comparison, where there is one."""
    known = conditions["peak_memory_bytes"].notna()
    row = _last(conditions, known & (conditions["kind"] == RunKind.COMPARISON.value))
    if row is None:
        row = _last(conditions, known)
    if row is None:
        return Row(figure=PEAK_MEMORY, why_unknown=_no_run(conditions, "showed its memory"))
    what = "one request at a time" if row["kind"] == RunKind.COMPARISON.value else "under load"
    return _of_run(PEAK_MEMORY, row, what, _alone(float(row["peak_memory_bytes"])))


def energy(conditions: pd.DataFrame, resources: pd.DataFrame) -> Row:
    """Joules for each token, where the machine has a counter of energy that may be read."""
    joules = conditions["condition_id"].map(resources["energy_j"]).astype(float)
    row = _last(conditions, joules.notna())
    if row is None:
        reason = "no counter of energy could be read in its runs"
        return Row(
            figure=ENERGY,
            why_unknown=reason if len(conditions) else _no_run(conditions, "was measured"),
        )
    joules_of = float(resources["energy_j"][row["condition_id"]])
    return _of_run(ENERGY, row, "median", _alone(joules_of))


def at_users(frames: Frames, conditions: pd.DataFrame) -> Iterator[Row]:
    """TGR and p95 of TTFT at each number of users in the stack's last load with closed levels.

    Levels of request rates are left out: they are not users.
    """
    closed = frames.load_levels[frames.load_levels["arrivals"] == CLOSED]
    row = _last(conditions, conditions["condition_id"].isin(closed["condition_id"]))
    if row is None:
        yield Row(
            figure=THROUGHPUT,
            why_unknown=_no_run(conditions, "was put under a load of users (`polystack load`)"),
        )
        return
    levels = closed[closed["condition_id"] == row["condition_id"]]
    requests = frames.load_requests[frames.load_requests["level_id"].isin(levels["level_id"])]
    figures = request_figures(requests, levels)
    for level in levels.to_dict(orient="records"):
        yield from _of_level(row, level, figures[figures["level_id"] == level["level_id"]])


def recovery(recoveries: pd.DataFrame, stack: str, model: str) -> Row:
    """SIGKILL to the first token of the next request: the median of the last test of the stack.

    A test on another model stands in where there is none on this one, and the source says so.
    """
    mine = recoveries[recoveries["stack"] == stack]
    same = mine[mine["model"] == model]
    found = same if len(same) else mine
    if found.empty:
        reason = "never killed here: `polystack upkeep --measure-recovery` does it"
        return Row(figure=RECOVERY, why_unknown=reason)
    last = found[found["run_id"] == found["run_id"].max()]
    known = last["recovery_s"].dropna().to_numpy(dtype=np.float64)
    run_id, label = float(last["run_id"].iloc[-1]), str(last["model_label"].iloc[-1])
    if not known.size:
        return Row(figure=RECOVERY, run_id=run_id, why_unknown=str(last["error"].iloc[-1]))
    failed = len(last) - known.size
    words = [
        f"killed {len(last)} times ({_spread(known)})",
        *([f"{failed} did not come back"] if failed else []),
        label if len(same) else f"{label}, and not {model}: larger weights load longer",
    ]
    value, low, high = _median(known)
    return Row(
        figure=RECOVERY, value=value, low=low, high=high, source=", ".join(words), run_id=run_id
    )


def _of_level(
    row: Mapping[Any, Any], level: Mapping[Any, Any], figures: pd.DataFrame
) -> Iterator[Row]:
    users = f"@{int(level['users'])}"
    window = steady_window(figures, level)
    inside = figures[window.holds(figures)] if len(figures) else figures
    ttft = np.sort(inside["ttft_ms"].dropna().to_numpy(dtype=np.float64))
    alive = figures["outcome"] != LoadOutcome.FAILED.value
    reason = level["error"] or "no request has an answer"
    lack = f"; no steady part: {window.lack}" if window.lack else ""
    # Of a level in which nothing was answered nobody knows what it could have been.
    rate = throughput(figures, window).tokens_per_s if alive.any() else NAN
    what = f"{len(inside)} requests{lack}"
    p95, few = _p95(ttft)
    for figure, said, found in (
        (TOKENS, what, _alone(rate)),
        (TTFT, f"{what}{few}", p95),
    ):
        if np.isnan(found[0]):
            yield Row(figure=f"{figure}{users}", run_id=float(row["run_id"]), why_unknown=reason)
        else:
            yield _of_run(f"{figure}{users}", row, said, found)


def _p95(ttft: Floats) -> tuple[tuple[float, float, float], str]:
    """Value, low and high of the 95th percentile of sorted values, and what is to be said of it.

    Too few requests give no interval. Then it may be anything that was seen, so that no stack is
    judged by one slow request as if that were exact.
    """
    found = percentile_of(ttft, _P95)
    if found.is_sure or not ttft.size:
        return (found.value, found.low, found.high), ""
    few = f", too few for a p95 ({fewest_for(_P95)}): from the least to the most that was seen"
    return (found.value, float(ttft[0]), float(ttft[-1])), few


def _of_run(
    figure: str,
    row: Mapping[Any, Any],
    what: str,
    found: tuple[float, float, float],
) -> Row:
    """The row of a figure of one run; `found` is value, low and high."""
    value, low, high = found
    label = str(row["model_label"])
    weights = f", {_RANDOM}" if row["is_synthetic"] and _RANDOM not in label else ""
    source = (
        f"run {row['run_id']}: {what}; {label}{weights}, {row['precision']}, "
        f"{row['threads']} threads"
    )
    return Row(
        figure=figure, value=value, low=low, high=high, source=source, run_id=float(row["run_id"])
    )


def _alone(value: float) -> tuple[float, float, float]:
    """A value without an interval."""
    return value, NAN, NAN


def _median(values: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, float, float]:
    """The median and its 95 % interval; of too few values for one, the smallest and largest."""
    low, high = median_interval(values)
    if values.size < FEWEST_FOR_INTERVAL and values.size > 1:
        low, high = float(values.min()), float(values.max())
    return float(np.median(values)), low, high


def _spread(values: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    if values.size < 2:
        return "once back"
    return "95 % interval" if values.size >= FEWEST_FOR_INTERVAL else "smallest to largest"


def _last(conditions: pd.DataFrame, wanted: pd.Series[bool]) -> Mapping[Any, Any] | None:
    found = conditions[wanted.astype(bool)]
    return None if found.empty else found.to_dict(orient="records")[-1]


def _no_run(conditions: pd.DataFrame, what: str) -> str:
    if len(conditions) and (error := str(conditions["error"].iloc[-1])):
        return f"run {conditions['run_id'].iloc[-1]}: {error}"
    return f"no run of this model in which it {what}"
