"""The rule: what may be said about a pair of stacks."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

ALPHA = 0.05
FEWEST_SAMPLES = 6
"""Of each stack: fewer give no interval of a median either (see `summary.median_interval`)."""
RELEVANT = 0.05
"""Two stacks are not called equal while the data still allow a difference of this size; on a
machine whose noise floor is higher, one of the size of the floor."""
LARGEST_EQUAL = 0.10
"""And never while they allow this one, or the machine itself makes as much. It is the difference
that the statistics are made to find (run/bench_statistics) and what "close" is read as in claims:
who calls it none says nothing. It is also the floor of stacks that were not measured in turns."""


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
    TOO_NOISY = "below the noise floor, which is too high here to call anything equal"
    CHANCE = "above the noise floor, but may be chance"
    CLEAR = "above the noise floor, and not chance"
    OTHER_LENGTHS = (
        "their answers have different numbers of tokens, so only TPOT and tokens/s compare"
    )


_ANSWERS = (
    (Verdict.NOT_KNOWN.value, Reason.TOO_FEW.value),
    (Verdict.NO_DIFFERENCE.value, Reason.BELOW_FLOOR.value),
    (Verdict.NOT_KNOWN.value, Reason.TOO_NOISY.value),
    (Verdict.NOT_KNOWN.value, Reason.TOO_WIDE.value),
    (Verdict.FASTER.value, Reason.CLEAR.value),
    (Verdict.SLOWER.value, Reason.CLEAR.value),
)
"""To the conditions of `decide`, in their order; the first that holds counts."""


def equal_within(floor: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Within which log ratio, to both sides, two stacks count as equal.

    An equivalence test asks for a margin that is fixed beforehand and small enough for its
    readers (Schuirmann 1987; Lakens 2017); a margin that grows with the noise would call all
    stacks equal on a bad machine. So the floor moves it from `RELEVANT` to `LARGEST_EQUAL`, and
    no farther.

    Args:
        floor: relative difference.
    """
    limited = np.clip(np.asarray(floor, dtype=np.float64), RELEVANT, LARGEST_EQUAL)
    return np.asarray(np.log1p(limited))


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
       floor, the machine explains it, however small its p-value: the probe shows as much. It is
       **no difference** if its interval, too, leaves no room for one that matters
       (`equal_within`), else **not known**: absence of evidence is not evidence of absence.
       Within a floor above `LARGEST_EQUAL` nothing is known; such a machine hides as much.
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
    is_within, is_noisy = np.abs(effect) <= threshold, threshold > equal_within(floor)
    conditions = [
        (np.asarray(n_fewest) < FEWEST_SAMPLES) | np.isnan(p_holm),
        is_within & ~is_noisy & (farthest <= equal_within(floor)),
        is_within & is_noisy,
        is_within,
        is_clear & is_faster,
        is_clear,
    ]
    verdicts, reasons = zip(*_ANSWERS, strict=True)
    return (
        np.select(conditions, verdicts, Verdict.NOT_KNOWN.value),
        np.select(conditions, reasons, Reason.CHANCE.value),
    )
