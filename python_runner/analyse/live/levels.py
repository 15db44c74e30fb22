"""The levels of a load while it goes on.

Figures are made from the first and the last chunk of each request alone, so that following a
load of thousands of requests costs next to nothing. The report at the end goes by reads of the
connection, and by the steady part of a level (`analyse.load`), and is the one that counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.latency import NAN
from python_runner.analyse.load.request import CANCELLED, NO_CONTENT, WRONG_COUNT
from python_runner.common.clock import NS_PER_MS, NS_PER_S
from python_runner.engines.contract import StopReason

_LATENCIES = ("ttft_ms", "tpot_ms", "e2e_ms")


def request_points(requests: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """The figures of requests as far as their ends tell.

    Args:
        requests: rows of `store.follow.Followed.requests`.
        levels: at least those that they belong to.

    Returns:
        level_id; failure_kind ("" if none); is_warmup; tokens (NaN: not known); due_ns,
        ended_ns; ttft_ms, tpot_ms, e2e_ms, NaN where a figure does not hold. Requests that were
        cut off by the end of the load are left out.
    """
    kept = requests[requests["error_kind"] != CANCELLED]
    settings = levels.set_index("level_id")
    wanted = kept["level_id"].map(settings["new_tokens"]).to_numpy(dtype=np.float64)
    tokens = kept["output_tokens"].to_numpy(dtype=np.float64)
    tokens = np.where(tokens < 0, NAN, tokens)
    stopped = (kept["stop"] == StopReason.END_OF_SEQUENCE.value).to_numpy()
    is_early = (tokens < wanted) & stopped
    kinds = np.where(
        kept["error_kind"] != "",
        kept["error_kind"],
        np.where(
            kept["n_chunks"] == 0,
            NO_CONTENT,
            np.where((tokens > wanted) | ((tokens < wanted) & ~stopped), WRONG_COUNT, ""),
        ),
    )
    holds = kinds == ""
    due, first, last = (kept[name].to_numpy() for name in ("scheduled_ns", "first_ns", "last_ns"))
    rest = tokens - np.maximum(1, kept["first_tokens"].to_numpy())
    return pd.DataFrame(
        {
            "level_id": kept["level_id"].to_numpy(),
            "failure_kind": kinds,
            "is_warmup": (kept["number"] < kept["level_id"].map(settings["warmup"])).to_numpy(),
            "tokens": np.where(holds, tokens, NAN),
            "due_ns": due,
            "ended_ns": kept["ended_ns"].to_numpy(),
            "ttft_ms": np.where(holds, (first - due) / NS_PER_MS, NAN),
            "tpot_ms": np.where(
                holds & (rest > 0), (last - first) / NS_PER_MS / np.maximum(1, rest), NAN
            ),
            "e2e_ms": np.where(holds & ~is_early, (last - due) / NS_PER_MS, NAN),
        }
    )


def live_levels(levels: pd.DataFrame, points: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """One row for each level that was begun, in the order of time.

    Args:
        levels: as `store.follow.Followed` has them.
        points: `request_points` of each level so far, by its id.

    Returns:
        The columns of `levels`, and:

        - n: requests that are over. n_failed, failures: `status (3), timeout (1)`.
        - ttft_ms, tpot_ms, e2e_ms: running medians, warm-up left out, NaN where there is none.
        - tokens_per_s: output tokens over the time from the first request to the last end;
          requests_per_s the same of requests that did not fail.
        - seconds: that time.
    """
    rows = [
        {**row, **_so_far(points.get(row["level_id"]))} for row in levels.to_dict(orient="records")
    ]
    return pd.DataFrame(rows, columns=[*levels.columns, *_so_far(None)])


def _so_far(points: pd.DataFrame | None) -> dict[str, Any]:
    if points is None or points.empty:
        nothing = ("seconds", "tokens_per_s", "requests_per_s", *_LATENCIES)
        return {"n": 0, "n_failed": 0, "failures": "", **dict.fromkeys(nothing, NAN)}
    failed = points.loc[points["failure_kind"] != "", "failure_kind"]
    counted = points[~points["is_warmup"]]
    seconds = float(points["ended_ns"].max() - points["due_ns"].min()) / NS_PER_S
    return {
        "n": len(points),
        "n_failed": len(failed),
        "failures": ", ".join(f"{kind} ({n})" for kind, n in Counter(failed).most_common()),
        "seconds": seconds,
        "tokens_per_s": float(points["tokens"].sum()) / seconds if seconds > 0 else NAN,
        "requests_per_s": (len(points) - len(failed)) / seconds if seconds > 0 else NAN,
        **{name: float(counted[name].median()) for name in _LATENCIES},
    }
