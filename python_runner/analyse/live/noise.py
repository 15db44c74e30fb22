"""What the probe says of the machine while a run goes on."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from python_runner.analyse.compare.noise import PROBES


@dataclass(frozen=True, kw_only=True)
class ProbeNoise:
    """Readings of one kind, relative to their median in this run (0.02: two per cent slower)."""

    last: float
    """Before the latest request."""
    worst: float
    """The slowest so far."""


def probe_noise(samples: pd.DataFrame) -> dict[str, ProbeNoise]:
    """By column (`compute`, then `memory`); empty where nobody looked.

    It tells how quiet the machine is by itself. The floor that verdicts stand on is another
    figure, made from the same readings between stacks (`analyse.compare.noise`).
    """
    found = {}
    for name in PROBES:
        readings = samples[name].dropna()
        if len(readings):
            relative = readings / readings.median() - 1
            found[name] = ProbeNoise(last=float(relative.iloc[-1]), worst=float(relative.max()))
    return found
