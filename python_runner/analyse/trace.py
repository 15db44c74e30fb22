"""One row for each token: the frame for questions that nobody thought of here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.latency import NAN, judge
from python_runner.common.clock import NS_PER_MS

IDENTITY = ("run_id", "condition_id", "stack", "title", "language", "reach")
COLUMNS = (*IDENTITY, "iteration", "is_warmup", "outcome", "token_index", "t_ms", "gap_ms")


def token_trace(samples: pd.DataFrame) -> pd.DataFrame:
    """Unfold every request into its tokens.

    Args:
        samples: one row for each request, warm-up and failed ones included.

    Returns:
        One row for each token, in order of request and arrival:

        - run_id, condition_id, stack, title, language, reach, iteration, is_warmup, outcome.
        - token_index: from 1. A chunk that does not say how many tokens it holds is one row.
        - t_ms: since the request was sent.
        - gap_ms: since the arrival before; NaN for the first arrival (that is TTFT) and for
          tokens that shared one arrival, whose own times nobody saw.
    """
    rows = [row for sample in samples.to_dict(orient="records") for row in _tokens(sample)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _tokens(sample: Mapping[Any, Any]) -> Iterator[dict[str, object]]:
    outcome, _ = judge(sample)
    shared = {name: sample[name] for name in (*IDENTITY, "iteration", "is_warmup")}
    index, previous = 0, None
    requested = int(sample["requested_ns"])
    stamps = np.asarray(sample["chunk_ns"], dtype=np.int64)
    counts = np.asarray(sample["chunk_tokens"], dtype=np.int64)
    for stamp, count in zip(stamps.tolist(), counts.tolist(), strict=True):
        for _ in range(max(1, count)):
            index += 1
            is_new = previous is not None and stamp != previous
            yield {
                **shared,
                "outcome": outcome.value,
                "token_index": index,
                "t_ms": (stamp - requested) / NS_PER_MS,
                "gap_ms": (stamp - previous) / NS_PER_MS if is_new else NAN,
            }
            previous = stamp
