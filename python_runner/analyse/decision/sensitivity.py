"""How much would have to change before the first place changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from python_runner.analyse.decision.score import TOLERANCE, Utilities, order_of, total_of

_STEPS = 60
"""Halvings of the search for a latency: far finer than any latency is known."""
_FASTEST = 1e-4
"""A latency is tried down to that share of itself."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A weight at which another stack comes level with the first."""

    weight: float
    """Of this criterion, where all others stay."""
    stack: str


@dataclass(frozen=True, kw_only=True)
class WeightSensitivity:
    """One weight: how far down and up it may go before another stack is first."""

    criterion: str
    weight: float
    below: Turn | None
    """Below that weight another is first; None: never, down to 0."""
    above: Turn | None
    """Above that; None: never, however high."""
    without: str
    """Who is first if the criterion is taken out."""


@dataclass(frozen=True, kw_only=True)
class LatencySensitivity:
    """One latency of the second: how low it would have to be for the second to be first."""

    criterion: str
    stack: str
    value: float
    needed: float
    """In the criterion's unit; NaN: no latency would do."""


def weight_turns(
    stacks: Mapping[str, Utilities], weights: Mapping[str, float], first: str
) -> tuple[WeightSensitivity, ...]:
    """For each criterion the weights at which the first place changes hands.

    Exact: a total is linear in a weight, and what all totals are divided by does not change
    their order. The lead over another stack is D = sum of w x (u_first - u_other); with d the
    difference in this criterion, it is gone at w - D / d.
    """
    return tuple(
        _turns_of(key, stacks, weights, first) for key in weights if _is_told_apart(key, stacks)
    )


def _is_told_apart(key: str, stacks: Mapping[str, Utilities]) -> bool:
    points = [one[key].point for one in stacks.values()]
    return max(points) - min(points) > TOLERANCE


def _turns_of(
    key: str, stacks: Mapping[str, Utilities], weights: Mapping[str, float], first: str
) -> WeightSensitivity:
    below: Turn | None = None
    above: Turn | None = None
    for other, utilities in stacks.items():
        apart = stacks[first][key].point - utilities[key].point
        if other == first or abs(apart) <= TOLERANCE:
            continue
        turn = Turn(weight=weights[key] - _lead(stacks, weights, first, other) / apart, stack=other)
        if apart > 0 and turn.weight >= 0 and (below is None or turn.weight > below.weight):
            below = turn
        elif apart < 0 and (above is None or turn.weight < above.weight):
            above = turn
    return WeightSensitivity(
        criterion=key,
        weight=weights[key],
        below=below,
        above=above,
        without=first_without(key, stacks, weights) or first,
    )


def _lead(
    stacks: Mapping[str, Utilities], weights: Mapping[str, float], first: str, other: str
) -> float:
    return sum(
        weight * (stacks[first][key].point - stacks[other][key].point)
        for key, weight in weights.items()
    )


def first_without(
    key: str, stacks: Mapping[str, Utilities], weights: Mapping[str, float]
) -> str | None:
    """Who is first with that criterion taken out; None: nothing else weighs anything."""
    rest = {name: 0.0 if name == key else weight for name, weight in weights.items()}
    if not sum(rest.values()):
        return None
    totals = {name: total_of(utilities, rest) for name, utilities in stacks.items()}
    return order_of(totals, {name: [] for name in stacks})[0]


def needed_latency(value: float, is_first: Callable[[float], bool]) -> float:
    """The highest latency below `value` with which a stack is first; NaN: none.

    Args:
        value: the latency now, with which it is not first.
        is_first: whether it is first with a latency; once it is, it is with a lower one, too.
    """
    lowest = value * _FASTEST
    if not is_first(lowest):
        return math.nan
    good, bad = math.log(lowest), math.log(value)
    for _ in range(_STEPS):
        middle = (good + bad) / 2
        if is_first(math.exp(middle)):
            good = middle
        else:
            bad = middle
    return math.exp(good)


def deciding_criteria(
    sensitivities: Sequence[WeightSensitivity], first: str
) -> tuple[WeightSensitivity, ...]:
    """Criteria without which another stack is first, of those that weigh something."""
    return tuple(one for one in sensitivities if one.weight > 0 and one.without != first)
