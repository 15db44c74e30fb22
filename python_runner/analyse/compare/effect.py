"""How far two sets of samples lie apart, in words."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from python_runner.analyse.latency import NAN


class EffectSize(StrEnum):
    """The usual words for Cliff's delta.

    The bounds 0.147, 0.33 and 0.474 are those of Romano, Kromrey, Coraggio and Skowronek
    (annual meeting of the Florida Association of Institutional Research, 2006), who carried
    Cohen's 0.2, 0.5 and 0.8 over. They are habit, not law.
    """

    NEGLIGIBLE = "negligible"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    UNKNOWN = "not known"


_BOUNDS = (
    (0.147, EffectSize.NEGLIGIBLE),
    (0.33, EffectSize.SMALL),
    (0.474, EffectSize.MEDIUM),
)


def cliffs_delta(left: npt.ArrayLike, right: npt.ArrayLike) -> float:
    """P(left > right) - P(left < right) over all pairs of samples, between -1 and 1.

    Cliff, Psychological Bulletin 114 (1993). NaN samples are left out; NaN if a side has none.
    """
    first, second = (_numbers(side) for side in (left, right))
    if not first.size or not second.size:
        return NAN
    return float(np.sign(first[:, None] - second[None, :]).mean())


def size_of(delta: float) -> EffectSize:
    """The word for a Cliff's delta."""
    if np.isnan(delta):
        return EffectSize.UNKNOWN
    return next((word for bound, word in _BOUNDS if abs(delta) < bound), EffectSize.LARGE)


def _numbers(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    return array[~np.isnan(array)]
