"""Utilities, totals and ranks. Arithmetic on plain numbers, the same as the page's script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from python_runner.analyse.decision.figures import Figure
from python_runner.analyse.decision.scale import Scale

TOLERANCE = 1e-12
"""Totals closer than that are equal."""


@dataclass(frozen=True, kw_only=True)
class Utility:
    """What a figure is worth, 0 to 1, and between which ends it may lie."""

    low: float
    point: float
    high: float
    is_known: bool = True


UNKNOWN = Utility(low=0.0, point=0.5, high=1.0, is_known=False)
"""Nothing is known: anything from worst to best. The middle only orders rows."""

Utilities = Mapping[str, Utility]
"""By criterion."""


@dataclass(frozen=True, kw_only=True)
class Total:
    """The weighted mean of a stack's utilities, at their points and at both ends."""

    low: float
    point: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Rank:
    """The best and the worst place that the ranges leave open, from 1."""

    best: int
    worst: int


def utility_of(figure: Figure, scale: Scale | None) -> Utility:
    """What a figure is worth. Its interval widens what it may be worth; unknown: `UNKNOWN`."""
    if scale is None or not figure.is_known:
        return UNKNOWN
    ends = sorted(scale.utility(value) for value in (figure.low, figure.value, figure.high))
    return Utility(low=ends[0], point=scale.utility(figure.value), high=ends[-1])


def total_of(utilities: Utilities, weights: Mapping[str, float]) -> Total:
    """Sum of weight x utility over the sum of weights, which must not be 0."""
    whole = sum(weights.values())
    parts = [(weights[key] / whole, utilities[key]) for key in weights if weights[key]]
    return Total(
        low=sum(share * one.low for share, one in parts),
        point=sum(share * one.point for share, one in parts),
        high=sum(share * one.high for share, one in parts),
    )


def ranks_of(totals: Mapping[str, Total]) -> dict[str, Rank]:
    """The places that are open to each stack.

    A stack is surely behind those whose range lies wholly above its own, and may be behind
    all whose range does not lie wholly below.
    """
    return {
        name: Rank(
            best=1 + sum(other.low > mine.high + TOLERANCE for other in _others(totals, name)),
            worst=1 + sum(other.high >= mine.low - TOLERANCE for other in _others(totals, name)),
        )
        for name, mine in totals.items()
    }


def order_of(totals: Mapping[str, Total], dominated: Mapping[str, Sequence[str]]) -> list[str]:
    """Names from first to last by points; of equal ones, those first that nothing dominates."""
    # Rounding must not decide between equals; the name does, so that the order is always the same.
    return sorted(
        totals, key=lambda name: (-round(totals[name].point, 11), bool(dominated[name]), name)
    )


def dominated_by(stacks: Mapping[str, Utilities], keys: Sequence[str]) -> dict[str, list[str]]:
    """For each stack those that dominate it.

    One dominates another if it is worth at least as much in every criterion of `keys`, and in
    one of them more even at the ends of both ranges. A criterion that is known of neither is
    left out; where it is known of one only, nothing can be said, and neither dominates.
    """
    return {
        name: [other for other in stacks if other != name and _dominates(stacks, other, name, keys)]
        for name in stacks
    }


def _dominates(
    stacks: Mapping[str, Utilities], upper: str, lower: str, keys: Sequence[str]
) -> bool:
    pairs = [(stacks[upper][key], stacks[lower][key]) for key in keys]
    if any(above.is_known != below.is_known for above, below in pairs):
        return False
    known = [(above, below) for above, below in pairs if above.is_known]
    return all(above.point >= below.point for above, below in known) and any(
        above.low > below.high for above, below in known
    )


def _others(totals: Mapping[str, Total], name: str) -> list[Total]:
    return [total for other, total in totals.items() if other != name]
