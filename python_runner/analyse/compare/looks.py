"""Looking more than once: go on until an interval is narrow, and pay for every look.

Who tests at 5 % after ten, twenty and thirty iterations and stops when it suits has more than
5 % of false alarms. The whole error is therefore spent in parts, look by look, by a spending
function of Lan and DeMets (Biometrika 70, 1983), in the form that resembles Pocock's bounds.
Each look's test and intervals use what that look may spend. The looks' tests depend on each
other, which exact bounds would use to spend less; adding up is simpler, and on the safe side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
import pandas as pd

from python_runner.analyse.compare.verdict import ALPHA


class Next(StrEnum):
    """What to do after a look."""

    GO_ON = "go on"
    NARROW = "narrow enough"
    LIMIT = "limit reached"


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a look found."""

    decision: Next
    widest: float
    """Relative half-width of the widest interval; NaN if one is not known."""


def spent(fraction: float, alpha: float = ALPHA) -> float:
    """Error that may have been spent when `fraction` (0 to 1) of all iterations is there."""
    return alpha * math.log(1 + (math.e - 1) * min(1.0, fraction))


def look_alpha(looks: Sequence[int], limit: int, alpha: float = ALPHA) -> float:
    """The alpha of the latest look: for the test, Holm's family and the intervals.

    Args:
        looks: iterations of each stack at every look so far, rising, the latest last.
        limit: the most iterations that will be made, fixed before the first look.
        alpha: error over all looks.

    Raises:
        ValueError: `looks` is empty or does not rise, or goes beyond `limit`.
    """
    rises = all(first < second for first, second in pairwise(looks))
    if not looks or looks[0] < 1 or not rises or looks[-1] > limit:
        raise ValueError(f"looks must rise from 1 to {limit} at most: {list(looks)}")
    before = spent(looks[-2] / limit, alpha) if len(looks) > 1 else 0.0
    return spent(looks[-1] / limit, alpha) - before


def look(comparison: pd.DataFrame, *, target: float, iterations: int, limit: int) -> Look:
    """Decide whether to go on.

    It looks at the width only and never at the ratio: stopping when a difference appears would
    bend the estimate towards differences.

    Args:
        comparison: `compare_pairs`'s rows, made with `alpha=look_alpha(...)`.
        target: stop when each interval is at most this far from its ratio (0.02: two per cent).
        iterations: of each stack so far.
        limit: the most iterations that will be made.
    """
    ratio = comparison["ratio"].to_numpy(dtype=np.float64)
    ends = comparison[["ratio_low", "ratio_high"]].to_numpy(dtype=np.float64)
    widths = np.abs(ends / ratio[:, None] - 1)
    widest = float(widths.max()) if widths.size else float("nan")
    if widest <= target:
        return Look(decision=Next.NARROW, widest=widest)
    decision = Next.LIMIT if iterations >= limit else Next.GO_ON
    return Look(decision=decision, widest=widest)
