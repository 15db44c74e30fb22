"""What the probe says of the machine while a run goes on."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from python_runner.analyse.compare.noise import PROBES


@dataclass(frozen=True, kw_only=True)
class ProbeNoise:
    """Readings of one kind, relative to their median in this run (0.02: two per cent slower)."""

    last: float
    """Before the latest request."""
    worst: float
    """The slowest so far."""


def probe_noise(samples: Sequence[Mapping[str, Any]]) -> dict[str, ProbeNoise]:
    """By column of the probe; empty where nobody looked.

    It tells how quiet the machine is by itself. The floor that verdicts stand on is another
    figure, made from the same readings between stacks (`analyse.compare.noise`).

    Args:
        samples: all so far, in the order of time.
    """
    found = {}
    for name in PROBES:
        readings = [float(each[name]) for each in samples if each[name] is not None]
        if readings:
            usual = statistics.median(readings)
            found[name] = ProbeNoise(last=readings[-1] / usual - 1, worst=max(readings) / usual - 1)
    return found
