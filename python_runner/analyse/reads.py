"""Answers that came at once: their time to the first token is that of the whole answer.

A server writes a chunk for each token, and TTFT is the read of the connection that brought the
first. Where one read brings most of the answer, something on the way has held the chunks back
(a server that does not flush, Nagle's algorithm, a busy core), and the clock saw one moment
where there were many. E2E latency still holds; TTFT, TPOT and ITL do not tell of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.latency import NO_FIGURES, request_metrics
from python_runner.engines.contract import Reach

MOST = 0.5
"""Of an answer's tokens: with more than that in the first read it came at once."""
_COLUMNS = ("condition_id", "title", "n", "n_at_once")


def answers_at_once(samples: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """The served stacks of which some answers came at once.

    Args:
        samples: one row for each request.
        conditions: one row for each stack of a run.

    Returns:
        One row for each such stack: condition_id, title; n: its timed requests that are not
        without figures; n_at_once: of them, those whose first read brought most of the answer.
    """
    measured = request_metrics(samples)
    timed = measured[~measured["is_warmup"].astype(bool) & ~measured["outcome"].isin(NO_FIGURES)]
    rows = []
    for condition in conditions.to_dict(orient="records"):
        if condition["reach"] != Reach.SERVED.value:
            continue
        mine = timed[timed["condition_id"] == condition["condition_id"]]
        n_at_once = sum(came_at_once(row) for row in mine.to_dict(orient="records"))
        if n_at_once:
            identity = (int(condition["condition_id"]), str(condition["title"]))
            rows.append((*identity, len(mine), n_at_once))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def came_at_once(sample: Mapping[Any, Any]) -> bool:
    """Whether the first read brought most of an answer of at least two tokens.

    Chunks of one read have one stamp. Where nobody counted the tokens of a chunk, they are
    taken to be alike.
    """
    stamps = np.asarray(sample["chunk_ns"], dtype=np.int64)
    sizes = np.asarray(sample["chunk_tokens"], dtype=np.float64)
    total = int(sample["output_tokens"])
    if total < 2 or not stamps.size:
        return False
    in_first = stamps == stamps[0]
    if sizes.size == stamps.size and (sizes > 0).all():
        return bool(sizes[in_first].sum() > MOST * total)
    return bool(in_first.mean() > MOST)
