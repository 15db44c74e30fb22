"""How far our own clock may be off, figure by figure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from python_runner.analyse.latency import NAN


def own_error_ms(error: object, figure: str, percentile: int, *, gaps: float = NAN) -> float:
    """The client's own error of a figure in ms, for the `±` beside it. NaN if not measured.

    Beside a median stands the median of the error, beside p90 and p99 its p99. An error of
    TTFT is one of the sending and of one arrival, and so is one of E2E latency; TPOT divides
    the errors of two arrivals by the gaps between them.

    Args:
        error: the fields of a `ClientError` as a dictionary; anything else: not measured.
        figure: `ttft`, `itl`, `tpot` or `e2e`.
        percentile: which of the figure.
        gaps: tokens after the first, of a usual answer; for TPOT.
    """
    if not isinstance(error, Mapping):  # None, or NaN where a frame has an empty place
        return NAN
    rank = "p50" if percentile <= 50 else "p99"
    of_stamp = abs(float(error[f"ttft_{rank}_ms"]))
    if figure == "itl":
        return abs(float(error[f"itl_{rank}_ms"]))
    if figure == "tpot":
        return 2 * of_stamp / gaps if math.isfinite(gaps) and gaps > 0 else NAN
    return of_stamp
