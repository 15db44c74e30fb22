"""Goodput: how much of the load was served as well as was promised.

The share and the rate of requests that meet every target (DistServe, Zhong et al., OSDI 2024;
vLLM's and GenAI-Perf's `goodput`). A failed request meets none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from python_runner.analyse.latency import NAN
from python_runner.analyse.load.request import LoadOutcome
from python_runner.common.clock import NS_PER_MS

_GAPS_WITHIN = 0.99


@dataclass(frozen=True, kw_only=True)
class Goodput:
    """Of the requests of a window. NaN where no target was set, or nothing was asked."""

    share: float
    per_s: float


def goodput(requests: pd.DataFrame, targets_ms: Mapping[str, float], seconds: float) -> Goodput:
    """Count the requests that meet every target.

    Args:
        requests: those of the window, with their figures (`request_figures`). One that was cut
            off at the end counts neither way, unless it had missed a target by then;
            one that was suspended counts neither way.
        targets_ms: upper limits in ms, by `ttft`, `tpot`, `e2e` (each request's own figure) and
            `itl` (99 of 100 known gaps of the request: one stutter in a long answer is
            allowed, two in a short one are not).
        seconds: length of the window.
    """
    requests = requests[requests["outcome"] != LoadOutcome.SUSPENDED.value]
    is_cut = requests["outcome"] == LoadOutcome.CUT_OFF.value
    has_missed = [_has_missed(row, targets_ms) for row in requests.to_dict(orient="records")]
    judged = requests[~is_cut | pd.Series(has_missed, index=requests.index, dtype=bool)]
    if not targets_ms or judged.empty:
        return Goodput(share=NAN, per_s=NAN)
    good = int(meets(judged, targets_ms).sum())
    return Goodput(share=good / len(judged), per_s=good / seconds if seconds > 0 else NAN)


def meets(requests: pd.DataFrame, targets_ms: Mapping[str, float]) -> pd.Series[bool]:
    """Which requests meet every target.

    An answer that the model ended early is an answer: its E2E latency is that up to its end.
    """
    is_good = requests["outcome"].isin([LoadOutcome.COMPLETE.value, LoadOutcome.EARLY_STOP.value])
    for name, limit in targets_ms.items():
        if name == "tpot":
            # An answer that came in one piece has no TPOT, and none that is too long.
            has_none = requests["decode_ms"].isna()
            is_good &= (requests["tpot_ms"] <= limit) | has_none
        elif name == "itl":
            within = [_gaps_within(gaps, limit) for gaps in requests["itl_ms"]]
            is_good &= pd.Series(within, index=requests.index, dtype=bool)
        elif name == "e2e":
            is_good &= requests["answer_ms"] <= limit
        else:
            is_good &= requests[f"{name}_ms"] <= limit
    return is_good


def _has_missed(request: Mapping[Any, Any], targets_ms: Mapping[str, float]) -> bool:
    """Whether a request that was cut off had been too slow before, whatever was still to come."""
    due, stamps = int(request["scheduled_ns"]), request["chunk_ns"]
    ended = (int(request["ended_ns"]) - due) / NS_PER_MS
    first = (int(stamps[0]) - due) / NS_PER_MS if len(stamps) else ended
    waited = {"ttft": first, "e2e": ended}
    return any(waited.get(name, 0.0) > limit for name, limit in targets_ms.items())


def _gaps_within(gaps: npt.NDArray[np.float64], limit: float) -> bool:
    return not gaps.size or bool(np.count_nonzero(gaps <= limit) >= _GAPS_WITHIN * gaps.size)
