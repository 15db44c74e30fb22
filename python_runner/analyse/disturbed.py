"""What something else did to a run: who had the processor, what held the engine back.

Such requests are kept and counted: what is slow for it is noise, and noise is what intervals are
for. But it is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

BUSY = 1.25
"""The probe took so many times as long as it computed: others had the processor."""
SLOWED = 0.8
"""Of the highest frequency of the run."""
HELD_S = 0.01


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """Of the timed requests of one stack. Iterations in their order; none: seen nothing."""

    title: str
    busy: tuple[int, ...]
    """Before which the probe was kept from a processor."""
    busy_times: float
    """At the worst, how many times as long as it computed it took; 1: as long."""
    held: tuple[int, ...]
    """In which a cgroup's CPU limit held the engine."""
    held_s: float
    """All of them together."""
    hot: tuple[int, ...]
    """In which processors were slowed for heat."""
    slowed: tuple[int, ...]
    """At whose end the fastest processor ran below the run's highest frequency."""
    slowed_share: float
    """The lowest frequency seen, over the highest."""
    stolen: tuple[int, ...]
    """In which the hypervisor gave CPU time to others."""
    stolen_s: float


def disturbances(samples: pd.DataFrame, conditions: pd.DataFrame) -> list[Disturbance]:
    """Of each stack, in the order of `conditions`.

    Args:
        samples: one row for each request; `resources` has what `measure.held_back` counts.
        conditions: one row for each stack of a run.
    """
    timed = samples[~samples["is_warmup"].astype(bool)].sort_values("iteration")
    rows = timed.to_dict(orient="records")
    highest_hz = max((_used(row, "frequency_hz") for row in rows), default=0.0)
    return [
        _of_stack(
            str(condition["title"]),
            [row for row in rows if row["condition_id"] == condition["condition_id"]],
            highest_hz,
        )
        for condition in conditions.to_dict(orient="records")
    ]


def _of_stack(title: str, rows: list[dict[Any, Any]], highest_hz: float) -> Disturbance:
    times = {int(row["iteration"]): times_as_long(row) for row in rows}
    held, hot, stolen = (
        {int(row["iteration"]): _used(row, name) for row in rows}
        for name in ("cgroup_throttled_s", "heat_throttles", "steal_s")
    )
    shares = {
        int(row["iteration"]): _used(row, "frequency_hz") / highest_hz
        for row in rows
        if highest_hz and _used(row, "frequency_hz")
    }
    return Disturbance(
        title=title,
        busy=tuple(number for number, value in times.items() if value >= BUSY),
        busy_times=max(times.values(), default=1.0),
        held=tuple(number for number, seconds in held.items() if seconds >= HELD_S),
        held_s=sum(held.values()),
        hot=tuple(number for number, count in hot.items() if count),
        slowed=tuple(number for number, share in shares.items() if share < SLOWED),
        slowed_share=min(shares.values(), default=1.0),
        stolen=tuple(number for number, seconds in stolen.items() if seconds >= HELD_S),
        stolen_s=sum(stolen.values()),
    )


def waits_of(rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """For each request, how many times as long as it computed the probe before it took."""
    looked = rows.reindex(columns=["probe_elapsed_ns", "probe_waited_ns"])
    return np.array([times_as_long(row) for row in looked.to_dict(orient="records")])


def times_as_long(row: Mapping[Any, Any]) -> float:
    """How many times as long as it computed the probe took; 1 where nobody looked."""
    elapsed, waited = (row.get(name) for name in ("probe_elapsed_ns", "probe_waited_ns"))
    if elapsed is None or waited is None or not np.isfinite([float(elapsed), float(waited)]).all():
        return 1.0
    computed = float(elapsed) - float(waited)
    return float(elapsed) / computed if computed > 0 else 1.0


def _used(row: Mapping[Any, Any], name: str) -> float:
    used = row.get("resources")
    return float(used.get(name, 0.0)) if isinstance(used, Mapping) else 0.0
