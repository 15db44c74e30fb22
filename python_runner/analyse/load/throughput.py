"""What came out of a server within a window, over all users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from python_runner.analyse.latency import NAN
from python_runner.analyse.load.arrivals import arrivals
from python_runner.analyse.load.request import LoadOutcome
from python_runner.analyse.load.window import Window


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Rates within a window. NaN where the window has no length."""

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
    if window.seconds <= 0:
        return Throughput(tokens_per_s=NAN, requests_per_s=NAN, n_uncounted=0)
    alive = requests[requests["outcome"] != LoadOutcome.FAILED.value]
    parts = [arrivals(row) for row in alive.to_dict(orient="records")]
    stamps = np.concatenate([np.empty(0, dtype=np.int64), *(part.stamps for part in parts)])
    tokens = np.concatenate([np.empty(0), *(part.tokens for part in parts)])
    is_within = (stamps > window.start_ns) & (stamps <= window.end_ns)
    answers = alive[alive["outcome"] != LoadOutcome.CUT_OFF.value]
    ended = answers["ended_ns"]
    n_ended = int(((ended > window.start_ns) & (ended <= window.end_ns)).sum())
    return Throughput(
        tokens_per_s=float(np.nansum(tokens[is_within])) / window.seconds,
        requests_per_s=n_ended / window.seconds,
        n_uncounted=sum(bool(np.isnan(part.tokens).any()) for part in parts),
    )
