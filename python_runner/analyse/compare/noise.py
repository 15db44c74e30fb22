"""The noise floor: what the machine itself puts between two stacks.

Before every iteration a small probe of fixed work is timed, arithmetic and memory bandwidth.
It is the same for every stack, so whatever it shows between two of them is the machine's.

The probe is the best of a few rounds, each so short that other programs hardly fall into all of
them. What they take of a request, which is long, is seen by how long the probe waited for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
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


CHANCE_TENTH = 0.1
"""So many of a stack's iterations, the worst, are not counted as waiting: a moment's waiting before
one request says little of the others."""


class FloorSource(StrEnum):
    """Where a noise floor comes from."""

    PROBE = "probe"
    WAITING = "others had the processor"
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


def waiting_floor(times: Iterable[Floats]) -> float:
    """What being kept from a processor may cost the stack that was kept from it the most.

    Stacks wait in ways of their own (one whose threads spin loses more than one whose threads
    sleep), so that nothing says what it costs between two of them. All of it is counted.

    Args:
        times: of each stack, one value for each timed request: how many times as long as it
            computed the probe before it took; 1 where it never waited.

    Returns:
        Relative: 0.5 where it took 1.5 times as long (geometric mean, without the worst tenth).
    """
    return max((_waited(np.log(np.sort(each))) for each in times if each.size), default=0.0)


def _waited(logs: Floats) -> float:
    counted = logs[: max(1, logs.size - math.ceil(logs.size * CHANCE_TENTH))]
    return float(np.expm1(counted.mean()))


def floor_of(probes: Sequence[Cells], *, in_turns: bool, waiting: float = 0.0) -> NoiseFloor:
    """The floor of a comparison.

    Args:
        probes: as for `probe_floor`; empty where nothing was probed.
        in_turns: the pair was visited in at least two blocks of one run. Otherwise the
            machine may have changed between them, or one load may have been a lucky one, in
            ways that a probe of a few milliseconds does not see.
        waiting: as `waiting_floor` gives it.
    """
    seen = float(probe_floor(probes)[0]) if probes else 0.0
    if waiting > max(seen, ASSUMED if in_turns else ASSUMED_APART):
        return NoiseFloor(value=waiting, source=FloorSource.WAITING)
    if not in_turns and seen < ASSUMED_APART:
        return NoiseFloor(value=ASSUMED_APART, source=FloorSource.ASSUMED_APART)
    if not probes:
        return NoiseFloor(value=ASSUMED, source=FloorSource.ASSUMED)
    return NoiseFloor(value=seen, source=FloorSource.PROBE)
