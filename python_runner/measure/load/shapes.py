"""When the requests of a level are sent.

A ramp lets the rate of arrivals grow in a straight line from nothing, so in the ramp's time
half as many come as after it; users start at even distances.
"""

from __future__ import annotations

import math
import random

import numpy as np
import numpy.typing as npt

from python_runner.common.clock import NS_PER_S
from python_runner.common.errors import UsageError
from python_runner.engines.served.load_client import LoadShape
from python_runner.measure.load.level import Arrivals, Level

_OFFSETS = "<i8"
_MOST_ARRIVALS = 10_000_000
_MOST_CONNECTIONS = 512
_LEAST_CONNECTIONS = 4

Floats = npt.NDArray[np.float64]


def shape_of(level: Level, *, seed: int, expected_s: float = 1.0) -> LoadShape:
    """The shape of a level.

    Args:
        level: what is asked for.
        seed: decides when Poisson arrivals come; the same seed gives the same ones.
        expected_s: how long an answer takes, about: tells how many connections an open loop
            needs from the start.

    Raises:
        UsageError: the level asks for nothing.
    """
    if level.arrivals is Arrivals.CLOSED:
        return _closed(level)
    due = arrivals_s(level, seed=seed)
    if not due.size:
        raise UsageError(
            f"at {level.rate:g} requests a second none comes within {level.duration_s:g} s",
            hint="Ask for a longer time or a higher rate.",
        )
    assert level.rate is not None
    busy = math.ceil(2 * level.rate * expected_s)
    connections = min(max(busy, _LEAST_CONNECTIONS), _MOST_CONNECTIONS, due.size)
    return LoadShape(arrivals_ns=_in_ns(due), connections=connections)


def streams_of(level: Level, *, expected_s: float) -> int:
    """Answers under way at once, about."""
    if level.users is not None:
        return level.users
    assert level.rate is not None
    return max(1, min(round(level.rate * expected_s), _MOST_CONNECTIONS))


def _closed(level: Level) -> LoadShape:
    assert level.users is not None
    starts = None
    if level.ramp_s:
        starts = _in_ns(np.arange(level.users, dtype=np.float64) * (level.ramp_s / level.users))
    return LoadShape(
        users=level.users,
        starts_ns=starts,
        requests=level.requests,
        duration_s=level.duration_s,
    )


def arrivals_s(level: Level, *, seed: int) -> Floats:
    """When the requests of an open loop are due, in seconds from its start, shape (requests,)."""
    assert level.rate is not None
    most = level.requests or _requests_within(level)
    if level.arrivals is Arrivals.CONSTANT:
        counts = np.arange(most, dtype=np.float64)
    else:
        # numpy's generators may change between versions; this one does not.
        draw = random.Random(seed).random  # noqa: S311 - arrivals, no secrets
        counts = np.cumsum([-math.log1p(-draw()) for _ in range(most)])
    due = _when(counts, level.rate, level.ramp_s)
    return due if level.duration_s is None else due[due < level.duration_s]


def _requests_within(level: Level) -> int:
    """More than can come within the duration, whatever is drawn."""
    assert level.rate is not None
    assert level.duration_s is not None
    mean = level.rate * level.duration_s
    if mean > _MOST_ARRIVALS:
        raise UsageError(
            f"{level.rate:g} requests a second for {level.duration_s:g} s are {mean:.0f} requests",
            hint=f"The most are {_MOST_ARRIVALS}: ask for a lower rate or a shorter time.",
        )
    return math.ceil(mean + 10 * math.sqrt(mean) + 10)


def _when(counts: Floats, rate: float, ramp_s: float) -> Floats:
    """When so many arrivals are expected to have come: the inverse of rate x time, or its ramp."""
    in_ramp = rate * ramp_s / 2
    after = ramp_s / 2 + counts / rate
    if not ramp_s:
        return after
    return np.where(counts < in_ramp, np.sqrt(2 * counts * ramp_s / rate), after)


def _in_ns(seconds: Floats) -> bytes:
    return np.rint(seconds * NS_PER_S).astype(_OFFSETS).tobytes()
