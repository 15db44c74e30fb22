"""How many answers a server was giving at once, whatever it was asked to compute together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from python_runner.analyse.latency import NAN
from python_runner.analyse.load.window import Window

_MORE_THAN_ALLOWED = 1.25
"""Times the slots: beyond that it is no rounding of the window's ends."""


def is_beyond_slots(at_once: float, slots: float) -> bool:
    """Whether a server gave clearly more answers at once than it was allowed to."""
    return at_once > _MORE_THAN_ALLOWED * slots


def decoding_at_once(requests: pd.DataFrame, window: Window) -> float:
    """The mean number of answers between their first chunk and their last, over a window.

    What a server reads of prompts meanwhile is not in it, so it computes at least that many
    requests together. Each answer's time within the window, summed and divided by the window's
    length (Little's law, for the part of a request that is decoding).

    Args:
        requests: all requests of the level, with `chunk_ns`.
        window: of this level.

    Returns NaN where the window has no length.
    """
    if window.seconds <= 0:
        return NAN
    spans = [
        (stamps[0], stamps[-1])
        for stamps in (np.asarray(each, dtype=np.int64) for each in requests["chunk_ns"])
        if stamps.size
    ]
    if not spans:
        return 0.0
    first, last = np.clip(np.asarray(spans).T, window.start_ns, window.end_ns)
    return float((last - first).sum() / (window.end_ns - window.start_ns))
