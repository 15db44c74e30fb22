"""What is said where time did not go on as usual, or the machine had other work."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pandas as pd

from python_runner.analyse.compare.noise import waiting_floor
from python_runner.analyse.disturbed import Disturbance, disturbances, waits_of
from python_runner.analyse.latency import Outcome
from python_runner.analyse.load.request import LoadOutcome
from python_runner.common.clock import NS_PER_S
from python_runner.report.units import TO, spell_percent

_LEAST_STEAL_S = 0.1
NOT_QUIET = "The machine was not quiet"
CROWDED = 0.15
"""More than a machine with nothing else to do makes of two stacks."""


def time_notes(measured: pd.DataFrame, conditions: pd.DataFrame) -> Iterator[str]:
    """Of a comparison, in the order of `conditions`.

    Args:
        measured: one row for each request, with its outcome (`request_metrics`).
        conditions: one row for each stack.
    """
    timed = measured[~measured["is_warmup"].astype(bool)]
    for row in conditions.to_dict(orient="records"):
        mine = timed[timed["condition_id"] == row["condition_id"]]
        lost = mine[mine["outcome"] == Outcome.SUSPENDED.value]
        if len(lost):
            yield (
                f"{row['title']}: something did not run during {len(lost)} of {len(mine)} "
                f"requests, left out (iteration {spans(lost['iteration'])}): "
                f"{_reasons(lost['failure'])}."
            )
        lost_time = (row.get("build") or {}).get("load time")
        if lost_time:
            yield f"{row['title']}: its first load time is {lost_time}."
    yield from _wall_words(measured)
    for found in disturbances(measured, conditions):
        yield from _disturbed(found)


def crowd_warnings(samples: pd.DataFrame) -> Iterator[str]:
    """Of a comparison that was made while something else had the processor.

    Args:
        samples: one row for each request.
    """
    timed = samples[~samples["is_warmup"].astype(bool)]
    waiting = waiting_floor(waits_of(mine) for _, mine in timed.groupby("condition_id"))
    if waiting > CROWDED:
        yield (
            f"{NOT_QUIET}: something else had the processor, which may make a stack "
            f"{1 + waiting:.2g} times as slow. Repeat the run with nothing else on it."
        )


def is_crowd_told(warnings: Iterable[str]) -> bool:
    """Whether one of a run's warnings is that of `crowd_warnings`."""
    return any(warning.startswith(NOT_QUIET) for warning in warnings)


def load_time_notes(row: Mapping[Any, Any], name: str, figures: pd.DataFrame) -> Iterator[str]:
    """Of one level of a load.

    Args:
        row: of the summary of levels.
        name: stack and load, as other notes name it.
        figures: its requests with their outcomes.
    """
    if row["n_suspended"]:
        lost = figures[figures["outcome"] == LoadOutcome.SUSPENDED.value]
        yield (
            f"{name}: something did not run during {row['n_suspended']} of {row['n_requests']} "
            f"requests, left out: {_reasons(lost['failure'])}. Requests after it may have met "
            "what piled up; rates of a steady part that holds it are not known."
        )
    jump = row.get("wall_jump_ns")
    if jump is not None and math.isfinite(jump) and jump:
        yield f"{name}: the wall clock was set {_set(float(jump))}; no figure depends on it."
    held = row.get("held_back")
    if isinstance(held, Mapping):
        yield from _held_words(name, held)


def spans(numbers: Iterable[object]) -> str:
    """`1-3, 7`, with an en dash: each number once, rising."""
    known = sorted({int(str(number)) for number in numbers})
    if not known:
        return ""
    runs = [[known[0], known[0]]]
    for before, number in pairwise(known):
        if number == before + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}{TO}{b}" for a, b in runs)


def _reasons(failures: Iterable[object]) -> str:
    """Different reasons once; what else is said of a request stands behind a colon."""
    found: Sequence[str] = [str(each).partition(": ")[0] for each in failures]
    return "; ".join(dict.fromkeys(found))


def _wall_words(measured: pd.DataFrame) -> Iterator[str]:
    if "wall_jump_ns" not in measured:
        return
    jumps = measured[measured["wall_jump_ns"].fillna(0) != 0]
    for row in jumps.to_dict(orient="records"):
        what = "warm-up" if row["is_warmup"] else "iteration"
        yield (
            f"The wall clock was set {_set(row['wall_jump_ns'])} during {what} "
            f"{row['iteration']} of {row['title']}; no figure depends on it."
        )


def _set(jump_ns: float) -> str:
    return f"{'forward' if jump_ns > 0 else 'back'} by {abs(jump_ns) / NS_PER_S:,.1f} s"


def _disturbed(found: Disturbance) -> Iterator[str]:
    if found.busy:
        yield (
            f"{found.title}: something else had the processor before iteration "
            f"{spans(found.busy)}. The probe took up to {found.busy_times:.1f} times as long as "
            "it computed; what was timed then may be slow for that."
        )
    if found.held:
        yield (
            f"{found.title}: a CPU limit (cgroup) held the engine for {found.held_s:.2f} s in all, "
            f"in iteration {spans(found.held)}."
        )
    if found.hot:
        yield f"{found.title}: processors were slowed for heat in iteration {spans(found.hot)}."
    if found.slowed:
        yield (
            f"{found.title}: at the end of iteration {spans(found.slowed)} the fastest processor "
            f"ran as low as {spell_percent(found.slowed_share)} of the highest frequency of this "
            "run."
        )
    if found.stolen_s >= _LEAST_STEAL_S:
        yield (
            f"{found.title}: the hypervisor gave {found.stolen_s:.1f} CPU seconds to others, in "
            f"iteration {spans(found.stolen)}."
        )


def _held_words(name: str, held: Mapping[str, float]) -> Iterator[str]:
    if seconds := held.get("cgroup_throttled_s"):
        yield f"{name}: a CPU limit (cgroup) held the engine for {seconds:.2f} s."
    if held.get("heat_throttles"):
        yield f"{name}: processors were slowed for heat."
    if held.get("steal_s", 0.0) >= _LEAST_STEAL_S:
        yield f"{name}: the hypervisor gave {held['steal_s']:.1f} CPU seconds to others."
