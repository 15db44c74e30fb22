"""The noise floor: what the machine itself puts between two stacks.

Before every iteration a small probe of fixed work is timed, arithmetic and memory bandwidth.
It is the same for every stack, so whatever it shows between two of them is the machine's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from python_runner.analyse.compare.blocks import Cells, Floats, estimate

PROBES = ("probe_compute_ns", "probe_memory_ns")
ASSUMED = 0.05
"""Where there is no probe: the median of one stack moved by 4.5 % between two stored runs on
one machine, two hours apart, rounded up."""
ASSUMED_APART = 0.10
"""The same for what was not measured in turns (one block, or two runs): twice that."""


class FloorSource(StrEnum):
    """Where a noise floor comes from."""

    PROBE = "probe"
    ASSUMED = "assumed: no probe"
    ASSUMED_APART = "assumed: not measured in turns"


@dataclass(frozen=True, kw_only=True)
class NoiseFloor:
    """A relative difference (0.02: two per cent), and where it comes from."""

    value: float
    source: FloorSource


def probe_floor(probes: Sequence[Cells]) -> Floats:
    """The largest difference that any probe shows between any two stacks of the run.

    Computed as the stacks' own ratios are, from the same blocks. The largest and not each
    pair's own, because by luck a pair can have none.

    Args:
        probes: log durations, one entry for each pair of the family and kind of probe.

    Returns:
        Relative differences, shape (runs,).
    """
    effects = np.stack([np.abs(estimate(cells).effect) for cells in probes])
    return np.asarray(np.expm1(effects.max(axis=0)))


def floor_of(probes: Sequence[Cells], *, in_turns: bool) -> NoiseFloor:
    """The floor of a comparison.

    Args:
        probes: as for `probe_floor`; empty where nothing was probed.
        in_turns: the pair was visited in at least two blocks of one run. Otherwise the
            machine may have changed between them, or one load may have been a lucky one, in
            ways that a probe of a few milliseconds does not see.
    """
    seen = float(probe_floor(probes)[0]) if probes else 0.0
    if not in_turns and seen < ASSUMED_APART:
        return NoiseFloor(value=ASSUMED_APART, source=FloorSource.ASSUMED_APART)
    if not probes:
        return NoiseFloor(value=ASSUMED, source=FloorSource.ASSUMED)
    return NoiseFloor(value=seen, source=FloorSource.PROBE)
