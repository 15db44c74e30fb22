"""More than one question asked of one run."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


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
