"""Figures of the way to a server: medians, spread, and nothing where nothing was seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.network import network_by_stack, network_figures
from python_runner.report.words.network import network_notes, network_pairs

MS = 1_000_000


def reading(when: str, **parts: float | None) -> Mapping[str, Any]:
    ms = {"name": 1.0, "tcp": 12.0, "tls": 25.0, "round_trip": 13.0, **parts}
    ns = {f"{part}_ns": None if one is None else one * MS for part, one in ms.items()}
    return {"when": when, "error": "" if None not in ms.values() else "timed out", **ns}


def test_medians_of_all_readings() -> None:
    found = network_figures([reading("before"), reading("before", tcp=14.0), reading("after")])
    assert found is not None
    assert (found.n, found.n_failed) == (3, 0)
    assert (found.name_ms, found.tcp_ms, found.tls_ms) == (1.0, 12.0, 25.0)
    assert found.connect_ms == 38.0
    assert found.round_trip_ms == found.round_trip_after_ms == 13.0
    assert not found.has_changed


def test_what_is_missing_is_not_zero() -> None:
    found = network_figures([reading("before", tls=None, round_trip=None)])
    assert found is not None
    assert found.n_failed == 1
    assert found.tcp_ms == 12.0
    assert math.isnan(found.connect_ms)
    assert math.isnan(found.round_trip_ms)
    assert network_pairs([reading("before", tls=None, round_trip=None)]) == {
        "way not measured": "1 of 1 readings: timed out"
    }


def test_on_this_machine_there_is_no_network() -> None:
    assert network_figures([]) is None
    assert network_figures(None) is None
    assert network_pairs([]) == {}


def test_a_way_that_became_longer() -> None:
    found = network_figures([reading("before"), reading("after", round_trip=40.0)])
    assert found is not None
    assert found.has_changed


def conditions(*networks: list[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "condition_id": range(1, len(networks) + 1),
            "title": [f"stack {number}" for number in range(1, len(networks) + 1)],
            "network": list(networks),
        }
    )


def test_the_note_tells_what_of_ttft_it_is() -> None:
    frame = conditions([], [reading("before"), reading("after", round_trip=40.0)])
    assert [row["title"] for row, _ in network_by_stack(frame)] == ["stack 2"]
    first, second = network_notes(frame, {1: 5.0, 2: 220.0})
    assert first.startswith("stack 2, network apart: of the TTFT of 220 ms, a round trip took")
    assert "A new connection took 38.0 ms (name 1.00, TCP 12.0, TLS 25.0)" in first
    assert "13.0 ms before and 40.0 ms after" in second
