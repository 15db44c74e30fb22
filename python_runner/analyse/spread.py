"""How values of one stack are spread: quantiles, positions in an answer, and fewer of many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from python_runner.analyse.latency import NAN
from python_runner.analyse.trace import token_trace

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Where the values of a set lie; NaN where there are none."""

    n: int
    low: float
    p5: float
    p25: float
    p50: float
    p75: float
    p95: float
    high: float


def spread_of(values: npt.ArrayLike) -> Spread:
    """Quantiles of `values`, linear between neighbours; NaN in it count for nothing."""
    data = np.asarray(values, dtype=np.float64)
    known = data[np.isfinite(data)]
    if not known.size:
        return Spread(n=0, low=NAN, p5=NAN, p25=NAN, p50=NAN, p75=NAN, p95=NAN, high=NAN)
    p5, p25, p50, p75, p95 = (float(value) for value in np.quantile(known, _QUANTILES))
    return Spread(
        n=int(known.size),
        low=float(known.min()),
        p5=p5,
        p25=p25,
        p50=p50,
        p75=p75,
        p95=p95,
        high=float(known.max()),
    )


def thin(values: npt.ArrayLike, most: int) -> npt.NDArray[np.intp]:
    """Which of many values to draw, so that the drawing is spread as the whole.

    Takes evenly spaced ranks, the smallest and the largest always among them, and no chance.

    Args:
        values: finite numbers, shape (n,).
        most: of how many places at most, two or more.

    Returns:
        Their places, rising; all of them where there are no more than `most`.
    """
    data = np.asarray(values, dtype=np.float64)
    if data.size <= most:
        return np.arange(data.size)
    ranks = np.unique(np.linspace(0, data.size - 1, most).round().astype(np.intp))
    return np.sort(np.argsort(data, kind="stable")[ranks])


def gaps_by_position(requests: pd.DataFrame) -> pd.DataFrame:
    """The gap before each token, by its place in the answer.

    Args:
        requests: complete timed requests, as `store` reads them.

    Returns:
        One row for each condition and place from the second token on, in order:
        condition_id, token_index, n (requests in which that gap was seen), and `p25_ms`,
        `p50_ms`, `p75_ms` over them. Places whose gap nobody saw (tokens that came together
        with the one before) have no row.
    """
    columns = ["condition_id", "token_index", "n", "p25_ms", "p50_ms", "p75_ms"]
    seen = token_trace(requests).dropna(subset="gap_ms")
    if seen.empty:
        return pd.DataFrame(columns=columns)
    grouped = seen.groupby(["condition_id", "token_index"])["gap_ms"]
    found = grouped.quantile(np.array([0.25, 0.5, 0.75])).unstack()
    found.columns = pd.Index(["p25_ms", "p50_ms", "p75_ms"])
    return found.assign(n=grouped.size()).reset_index()[columns]
