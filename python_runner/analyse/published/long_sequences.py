"""The rows of long sequences: tokens a second in total and of one request, TTFT, E2E."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pandas as pd

from python_runner.analyse.published.levels import came_at_once, level_rows
from python_runner.analyse.published.ours import OurRow, known
from python_runner.analyse.published.part import PartRun
from python_runner.common.clock import NS_PER_S
from python_runner.study.published import Value

_MS_PER_S = 1000.0


def long_sequences_rows(run: PartRun) -> Iterator[OurRow]:
    """A row for each level of each stack; one for a stack without any.

    All requests of a level are sent at one moment, so it has no steady part, and none is missed.

    Figures: `concurrent` (requests at once), `total_tokens_per_s` (all output tokens over the
    time from the first request to the end of the last answer), `request_tokens_per_s` (1000 over
    the median TPOT; not known where most answers came in one read), `ttft_ms`, `e2e_ms`
    (medians), `requests` (that figures stand on).
    """
    return level_rows(run, partial(_figures, run.frames.load_requests), steady=False)


def _figures(requests: pd.DataFrame, level: Mapping[Any, Any]) -> dict[str, Value]:
    tpot, at_once = float(level["tpot_p50_ms"]), came_at_once(level)
    return known(
        concurrent=int(level["users"]),
        requests=int(level["n"]),
        total_tokens_per_s=_total(requests[requests["level_id"] == level["level_id"]]),
        request_tokens_per_s=_MS_PER_S / tpot if tpot > 0 and not at_once else None,
        ttft_ms=level["ttft_p50_ms"],
        e2e_ms=level["e2e_p50_ms"],
    )


def _total(requests: pd.DataFrame) -> float | None:
    """None if none was answered, or somebody's tokens were not counted."""
    answered = requests[requests["error_kind"] == ""]
    if answered.empty or (answered["output_tokens"] < 0).any():
        return None
    seconds = (answered["ended_ns"].max() - answered["scheduled_ns"].min()) / NS_PER_S
    return float(answered["output_tokens"].sum()) / seconds if seconds > 0 else None
