"""From a number to what it is worth, 0 to 1: the only two ways there are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class ScaleKind(StrEnum):
    """How a value becomes a utility."""

    SHARE = "share"
    """The value is a share, and is its own utility."""
    RATIO = "ratio"
    """By ratio: halving a value is worth the same wherever one stands."""


class Direction(StrEnum):
    """Which values are better."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A value function. `best` is worth 1, `worst` is worth 0, what lies beyond no more."""

    kind: ScaleKind
    best: float = 1.0
    worst: float = 0.0

    def utility(self, value: float) -> float:
        """What `value` is worth, 0 to 1.

        SHARE: the value. RATIO: ln(value / worst) / ln(best / worst).
        """
        if self.kind is ScaleKind.SHARE:
            return min(1.0, max(0.0, value))
        if value <= 0:  # less than anything that counts
            return 1.0 if self.best < self.worst else 0.0
        raw = math.log(value / self.worst) / math.log(self.best / self.worst)
        return min(1.0, max(0.0, raw))


SHARE = Scale(kind=ScaleKind.SHARE)


def ratio_scale(
    direction: Direction,
    span: float,
    *,
    values: Iterable[float],
    floor: float = 0.0,
    limit: float | None = None,
) -> Scale | None:
    """The scale of a criterion.

    Args:
        direction: which values are better.
        span: how many times worse than `best` a value is that is worth nothing.
        values: what was measured of all stacks.
        floor: smaller values make no difference; of values of which less is better.
        limit: the value that is worth nothing, where the team has one (a target, a budget).

    Returns:
        None where there is neither a limit nor a value to start from.
    """
    if limit is not None:
        best = limit / span if direction is Direction.LOWER else limit * span
        return Scale(kind=ScaleKind.RATIO, best=best, worst=limit)
    known = [value for value in values if not math.isnan(value) and value >= 0]
    if not known:
        return None
    if direction is Direction.LOWER:
        best = max(min(known), floor)
        return Scale(kind=ScaleKind.RATIO, best=best, worst=best * span) if best > 0 else None
    best = max(known)
    return Scale(kind=ScaleKind.RATIO, best=best, worst=best / span) if best > 0 else None
