"""What the way to somebody else's server takes, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from python_runner.analyse.network import NetworkFigures, network_by_stack, network_figures
from python_runner.report.units import TO, spell_number, spell_time

ROUND_TRIP = "a HEAD request for the list of models, there and back on a connection that stands"


def network_pairs(readings: Sequence[Mapping[str, Any]] | None) -> dict[str, str]:
    """Names and values for the list of what is known of a stack; none without a network."""
    found = network_figures(readings)
    if found is None:
        return {}
    pairs = {}
    if math.isfinite(found.connect_ms):
        pairs["a new connection"] = (
            f"{spell_time(found.connect_ms)} ({_parts(found)}); half of {found.n} readings "
            f"{_range(found.connect_low_ms, found.connect_high_ms)}"
        )
    if math.isfinite(found.round_trip_ms):
        pairs["a round trip"] = (
            f"{spell_time(found.round_trip_ms)}, {ROUND_TRIP}; half of them "
            f"{_range(found.round_trip_low_ms, found.round_trip_high_ms)}; before "
            f"{spell_time(found.round_trip_before_ms)}, after "
            f"{spell_time(found.round_trip_after_ms)}"
        )
    if found.n_failed:
        pairs["way not measured"] = f"{found.n_failed} of {found.n} readings: {found.error}"
    return pairs


def network_notes(conditions: pd.DataFrame, ttft_ms: Mapping[int, float]) -> Iterator[str]:
    """A sentence for each stack that a network lies before: what of TTFT it is, and what not.

    Args:
        conditions: one row for each stack of a run.
        ttft_ms: median TTFT by condition_id, as the table shows it.
    """
    for row, found in network_by_stack(conditions):
        title = str(row["title"])
        if not math.isfinite(found.round_trip_ms):
            yield f"{title}: the way to it could not be measured: {found.error}."
            continue
        ttft = ttft_ms.get(int(row["condition_id"]), math.nan)
        of_it = f"of the TTFT of {spell_time(ttft)}, a round trip" if _is(ttft) else "a round trip"
        yield (
            f"{title}, network apart: {of_it} took {spell_time(found.round_trip_ms)}. A new "
            f"connection took {spell_time(found.connect_ms)} ({_parts(found)}), which is not in "
            "TTFT where the connection stood before the request."
        )
        if found.has_changed:
            yield (
                f"{title}: the way to it changed meanwhile, a round trip took "
                f"{spell_time(found.round_trip_before_ms)} before and "
                f"{spell_time(found.round_trip_after_ms)} after."
            )


def _parts(found: NetworkFigures) -> str:
    tls = f", TLS {spell_number(found.tls_ms)}" if found.tls_ms else ", no TLS"
    return f"name {spell_number(found.name_ms)}, TCP {spell_number(found.tcp_ms)}{tls}"


def _range(low: float, high: float) -> str:
    return f"{spell_number(low)}{TO}{spell_number(high)} ms"


def _is(value: float) -> bool:
    return math.isfinite(value)
