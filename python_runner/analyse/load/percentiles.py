"""A percentile, how sure it is, and how many values it takes.

A percentile is the nearest rank: the smallest value that at least p per cent of the values
do not exceed. It is a latency that somebody had, never a mixture of two, and the same that
HdrHistogram gives.

The interval is that of the percentile bootstrap, without its chance: the value of rank k of n
values drawn with replacement is at most the j-th smallest with the probability that at least k
of n draws fall below it, so the ends of the interval are quantiles of a beta distribution
(Efron, The Jackknife, the Bootstrap and Other Resampling Plans, 1982, ch. 10). Resampling ten
thousand times finds the same values, slowly.

Gaps of one answer resemble each other, so a hundred answers of a hundred tokens are not ten
thousand observations. `effective_size` says how many they are worth: the number of independent
values with which the share of gaps up to the percentile would be as uncertain as it is between
requests (Korn and Graubard, Survey Methodology 24, 1998). The interval takes that for n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats

from python_runner.analyse.latency import NAN
from python_runner.analyse.summary import CONFIDENCE

PERCENTILES = (50, 90, 99)
_TAIL = (1 - CONFIDENCE) / 2
_SLACK = 1e-9

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Percentile:
    """A percentile and its 95 % interval. NaN where there is no value, or no interval."""

    value: float
    low: float = NAN
    high: float = NAN
    is_sure: bool = False
    """Whether there are enough values for an interval (see `fewest_for`)."""


@lru_cache(maxsize=32)
def fewest_for(percentile: float) -> int:
    """How many independent values it takes to say anything sure about a percentile.

    The smallest n for which even the range of all n values holds it with 95 %:
    1 - p^n - (1 - p)^n >= 0.95. That makes 6 for p50, 29 for p90 and 299 for p99.
    """
    share = percentile / 100
    n = 1
    while 1 - share**n - (1 - share) ** n < CONFIDENCE:
        n += 1
    return n


def percentile_of(
    values: Floats, percentile: float, owners: npt.NDArray[np.int64] | None = None
) -> Percentile:
    """A percentile with its interval.

    Args:
        values: ascending, shape (n,).
        percentile: above 0 and below 100.
        owners: for each value the request that it belongs to, from 0 without gaps, shape (n,);
            None: each has one of its own.
    """
    if not values.size:
        return Percentile(value=NAN)
    found = float(values[_rank(percentile / 100, values.size)])
    size = values.size if owners is None else effective_size(values <= found, owners, percentile)
    if size < fewest_for(percentile):
        return Percentile(value=found)
    rank = _rank(percentile / 100, size) + 1
    ranks = stats.beta(rank, size - rank + 1)
    low, high = (
        float(values[_rank(float(ranks.ppf(share)), values.size)]) for share in (_TAIL, 1 - _TAIL)
    )
    return Percentile(value=found, low=low, high=high, is_sure=True)


def effective_size(
    is_up_to: npt.NDArray[np.bool_], owners: npt.NDArray[np.int64], percentile: float
) -> int:
    """How many independent values the values of several requests are worth.

    p (1 - p) over the variance of the share of values up to the percentile, estimated between
    requests as that of a ratio; at most the number of values, and 1 for a single request.
    """
    sizes = np.bincount(owners).astype(np.float64)
    n_requests, n_values = sizes.size, float(sizes.sum())
    if n_requests < 2:
        return 1
    counts = np.bincount(owners, weights=is_up_to, minlength=n_requests)
    residuals = counts - counts.sum() / n_values * sizes
    variance = n_requests / (n_requests - 1) * float(residuals @ residuals) / n_values**2
    share = percentile / 100
    if variance <= share * (1 - share) / n_values:
        return int(n_values)
    return max(1, math.floor(share * (1 - share) / variance))


def _rank(share: float, n: int) -> int:
    """Index, from 0, of the smallest of n values that `share` of them do not exceed."""
    return min(n - 1, max(0, math.ceil(share * n - _SLACK) - 1))
