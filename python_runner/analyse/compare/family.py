"""More than one question asked of one run."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Pair = tuple[int, int]
"""What identifies the left and the right stack."""


def holm(p: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """p-values adjusted for the size of their family (Holm, Scand. J. Statist. 6, 1979).

    Rejecting where the adjusted value is at most alpha makes an error in the family with
    probability alpha at most, however the tests depend on each other.

    Args:
        p: shape (..., family). NaN stands for a test that could not be done: it stays NaN and
            does not count to the family.

    Returns:
        The same shape, between p and 1, in the same order as p.
    """
    raw = np.asarray(p, dtype=np.float64)
    order = np.argsort(raw, axis=-1)  # NaN comes last
    ordered = np.take_along_axis(raw, order, axis=-1)
    size = np.sum(~np.isnan(raw), axis=-1, keepdims=True)
    steps = np.maximum(size - np.arange(raw.shape[-1]), 1)
    adjusted = np.minimum(1.0, np.maximum.accumulate(ordered * steps, axis=-1))
    result = np.empty_like(raw)
    np.put_along_axis(result, order, adjusted, axis=-1)
    return result


def independent_pairs(pairs: Iterable[Pair]) -> int:
    """How many differences among the pairs do not follow from others.

    Stacks less the groups that pairs connect: three of the six pairs of four stacks.
    """
    groups: list[set[int]] = []
    for pair in pairs:
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched]
        groups.append(set(pair).union(*touched))
    return sum(len(group) - 1 for group in groups)
