"""The rule: what may be said about a pair of stacks."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

ALPHA = 0.05
FEWEST_SAMPLES = 6
"""Of each stack: fewer give no interval of a median either (see `summary.median_interval`)."""
RELEVANT = 0.05
"""Two stacks are not called equal while the data still allow a difference of this size."""


class Verdict(StrEnum):
    """About the left stack beside the right one."""

    FASTER = "faster"
    SLOWER = "slower"
    NO_DIFFERENCE = "no difference"
    NOT_KNOWN = "not known"


class Reason(StrEnum):
    """Why a verdict is what it is."""

    TOO_FEW = "too few samples"
    BELOW_FLOOR = "below the noise floor"
    TOO_WIDE = "below the noise floor, but the interval reaches too far to call it equal"
    CHANCE = "above the noise floor, but may be chance"
    CLEAR = "above the noise floor, and not chance"


_ANSWERS = (
    (Verdict.NOT_KNOWN.value, Reason.TOO_FEW.value),
    (Verdict.NO_DIFFERENCE.value, Reason.BELOW_FLOOR.value),
    (Verdict.NOT_KNOWN.value, Reason.TOO_WIDE.value),
    (Verdict.FASTER.value, Reason.CLEAR.value),
    (Verdict.SLOWER.value, Reason.CLEAR.value),
)
"""To the conditions of `decide`, in their order; the first that holds counts."""


def decide(
    *,
    effect: npt.ArrayLike,
    half_width: npt.ArrayLike,
    p_holm: npt.ArrayLike,
    floor: npt.ArrayLike,
    n_fewest: npt.ArrayLike,
    alpha: float = ALPHA,
    lower_is_faster: bool = True,
) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]:
    """Say what the data support, and no more.

    Four questions, in this order:

    1. *Is there enough?* Fewer than `FEWEST_SAMPLES` complete iterations of either stack, or no
       test possible: **not known**.
    2. *Is the difference larger than the machine's own noise?* If the ratio is within the noise
       floor, the machine explains it, however small its p-value: the probe, which does the same
       work for all, shows as much. It is called **no difference** if its interval, too, leaves
       no room for one that matters (`RELEVANT`, or the floor where that is more); if it does
       leave room, that is **not known**. Absence of evidence is not evidence of absence.
    3. *May it be chance?* If the permutation test, corrected by Holm for all pairs that were
       looked at, gives p <= alpha: **faster** or **slower**.
    4. Otherwise: **not known**. More iterations may tell.

    So a "faster" takes a difference that is both larger than the floor and not chance, and a
    "no difference" takes data that exclude one. What is neither is said to be neither.

    Args:
        effect: log(left / right); arrays of all arguments broadcast.
        half_width: of the effect's interval.
        p_holm: p-value after Holm's correction; NaN where no test was possible.
        floor: relative difference, 0.02 for two per cent.
        n_fewest: complete iterations of the stack that has fewer.
        alpha: the error of the whole family.
        lower_is_faster: True for times, False for rates.

    Returns:
        The values of a `Verdict` and a `Reason` for each pair.
    """
    effect = np.asarray(effect, dtype=np.float64)
    threshold = np.log1p(np.asarray(floor, dtype=np.float64))
    farthest = np.abs(effect) + np.asarray(half_width, dtype=np.float64)
    p_holm = np.asarray(p_holm, dtype=np.float64)
    is_clear = p_holm <= alpha
    is_faster = (effect < 0) == lower_is_faster
    conditions = [
        (np.asarray(n_fewest) < FEWEST_SAMPLES) | np.isnan(p_holm),
        (np.abs(effect) <= threshold) & (farthest <= np.maximum(threshold, np.log1p(RELEVANT))),
        np.abs(effect) <= threshold,
        is_clear & is_faster,
        is_clear,
    ]
    verdicts, reasons = zip(*_ANSWERS, strict=True)
    return (
        np.select(conditions, verdicts, Verdict.NOT_KNOWN.value),
        np.select(conditions, reasons, Reason.CHANCE.value),
    )
