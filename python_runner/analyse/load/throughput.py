"""What came out of a server within a window, over all users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from python_runner.analyse.latency import NAN
from python_runner.analyse.load.arrivals import Arrivals, arrivals
from python_runner.analyse.load.request import LoadOutcome
from python_runner.analyse.load.window import Window
from python_runner.common.clock import NS_PER_S


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Rates within a window. NaN where it has no length, or something did not run within it."""

    tokens_per_s: float
    """TGR: output tokens that arrived within the window, over its length."""
    requests_per_s: float
    """Answers, complete or ended by the model, that ended within it, over its length."""
    n_uncounted: int
    """Answers whose tokens nobody counted: they are missing in TGR."""


def throughput(requests: pd.DataFrame, window: Window) -> Throughput:
    """Rates of one level.

    Tokens count when they arrive, whenever their request was sent, so that a window cuts no
    answer off: those under way at its start bring what those under way at its end take along.
    Warm-up requests load the server like any other and count, too; what a request brought
    before it failed does not.

    Args:
        requests: all requests of the level, with their figures (`request_figures`).
        window: of this level.
    """
    if window.seconds <= 0 or stood_still(requests, window):
        return Throughput(tokens_per_s=NAN, requests_per_s=NAN, n_uncounted=0)
    alive = requests[requests["outcome"] != LoadOutcome.FAILED.value]
    parts = [arrivals(row) for row in alive.to_dict(orient="records")]
    stamps, tokens = _tokens(parts)
    is_within = (stamps > window.start_ns) & (stamps <= window.end_ns)
    answers = alive[alive["outcome"] != LoadOutcome.CUT_OFF.value]
    ended = answers["ended_ns"]
    n_ended = int(((ended > window.start_ns) & (ended <= window.end_ns)).sum())
    return Throughput(
        tokens_per_s=float(np.nansum(tokens[is_within])) / window.seconds,
        requests_per_s=n_ended / window.seconds,
        n_uncounted=sum(bool(np.isnan(part.tokens).any()) for part in parts),
    )


def stood_still(requests: pd.DataFrame, window: Window) -> bool:
    """Whether a request was under way in the window while something did not run.

    Then the window's length is not the time in which its requests were served.
    """
    is_suspended = requests["outcome"] == LoadOutcome.SUSPENDED.value
    mine = requests[is_suspended & (requests["scheduled_ns"] <= window.end_ns)]
    return bool((mine["ended_ns"] > window.start_ns).any())


def rates_in_parts(requests: pd.DataFrame, window: Window, parts: int) -> npt.NDArray[np.float64]:
    """TGR of each of so many consecutive parts of the window, all of one length."""
    alive = requests[requests["outcome"] != LoadOutcome.FAILED.value]
    stamps, tokens = _tokens([arrivals(row) for row in alive.to_dict(orient="records")])
    edges = np.linspace(window.start_ns, window.end_ns, parts + 1)
    counts, _ = np.histogram(stamps, bins=edges, weights=np.nan_to_num(tokens))
    return np.asarray(counts / (np.diff(edges) / NS_PER_S))


def _tokens(
    parts: Sequence[Arrivals],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """When tokens arrived, and how many at a time."""
    stamps = np.concatenate([np.empty(0, dtype=np.int64), *(part.stamps for part in parts)])
    return stamps, np.concatenate([np.empty(0), *(part.tokens for part in parts)])
