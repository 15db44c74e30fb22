"""What the way to a server takes, apart from what the server does.

    connection    name resolution + TCP + TLS, of one reading
    round trip    last byte of a small request to first byte of its answer, on an open connection

Figures are medians over all readings of a stack, before and after what was timed; the spread is
the range between quartiles. What a reading lacks is left out, and never zero.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.latency import NAN
from python_runner.common.clock import NS_PER_MS

_PARTS = ("name", "tcp", "tls", "round_trip")
_TWICE = 2.0
_WORTH_TELLING_MS = 1.0


@dataclass(frozen=True, kw_only=True)
class NetworkFigures:
    """The way to one stack, in milliseconds; NaN where nothing was measured."""

    n: int
    """Readings."""
    n_failed: int
    """Those of them that lack something."""
    error: str
    """Why, for the last that does."""
    name_ms: float
    tcp_ms: float
    tls_ms: float
    """0: not encrypted."""
    connect_ms: float
    """Name, TCP and TLS together; the median of the sums."""
    connect_low_ms: float
    connect_high_ms: float
    """Quartiles."""
    round_trip_ms: float
    round_trip_low_ms: float
    round_trip_high_ms: float
    round_trip_before_ms: float
    round_trip_after_ms: float

    @property
    def has_changed(self) -> bool:
        """Whether the way became twice as long, or half, while the stack was timed."""
        low, high = sorted((self.round_trip_before_ms, self.round_trip_after_ms))
        return high - low > _WORTH_TELLING_MS and high > _TWICE * low


def network_figures(readings: Sequence[Mapping[str, Any]] | None) -> NetworkFigures | None:
    """The figures of one stack. None where nobody looked: there is no network in between.

    Args:
        readings: rows as `store` reads them (`NetworkReading`).
    """
    if not readings:
        return None
    parts = {part: _ms(readings, part) for part in _PARTS}
    connects = [_connect_ms(reading) for reading in readings]
    connect_low, connect, connect_high = _quartiles([ms for ms in connects if ms is not None])
    low, round_trip, high = _quartiles(parts["round_trip"])
    errors = [str(reading["error"]) for reading in readings if reading["error"]]
    return NetworkFigures(
        n=len(readings),
        n_failed=len(errors),
        error=errors[-1] if errors else "",
        name_ms=_median(parts["name"]),
        tcp_ms=_median(parts["tcp"]),
        tls_ms=_median(parts["tls"]),
        connect_ms=connect,
        connect_low_ms=connect_low,
        connect_high_ms=connect_high,
        round_trip_ms=round_trip,
        round_trip_low_ms=low,
        round_trip_high_ms=high,
        round_trip_before_ms=_median(_ms(_of(readings, "before"), "round_trip")),
        round_trip_after_ms=_median(_ms(_of(readings, "after"), "round_trip")),
    )


def network_by_stack(conditions: pd.DataFrame) -> list[tuple[Mapping[Any, Any], NetworkFigures]]:
    """The stacks of a run that a network lies before, with its figures, in their order.

    Args:
        conditions: one row for each stack.
    """
    rows = conditions.to_dict(orient="records")
    found = ((row, network_figures(row.get("network"))) for row in rows)
    return [(row, figures) for row, figures in found if figures is not None]


def _of(readings: Sequence[Mapping[str, Any]], when: str) -> list[Mapping[str, Any]]:
    return [reading for reading in readings if reading["when"] == when]


def _ms(readings: Sequence[Mapping[str, Any]], part: str) -> list[float]:
    values = (reading[f"{part}_ns"] for reading in readings)
    return [float(value) / NS_PER_MS for value in values if value is not None]


def _connect_ms(reading: Mapping[str, Any]) -> float | None:
    parts = [reading[f"{part}_ns"] for part in ("name", "tcp", "tls")]
    return None if None in parts else sum(float(part) for part in parts) / NS_PER_MS


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else NAN


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    if not values:
        return NAN, NAN, NAN
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return float(low), float(middle), float(high)
