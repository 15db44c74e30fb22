"""Loads as frames that stand on their own: every row carries its figures and its conditions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from python_runner.analyse.load.request import request_figures
from python_runner.analyse.load.window import steady_window
from python_runner.analyse.tidy import as_objects, dict_or_empty, mark_absent, stack_rows
from python_runner.common.clock import NS_PER_MS

_LEVEL = ("arrivals", "users", "rate", "ramp_s", "warmup", "new_tokens")
_LEVEL_NAMES = {"number": "level", "error": "level_error", "client_error": "level_client_error"}
_REQUEST = [
    "number",
    "user",
    "outcome",
    "failure_kind",
    "failure",
    "is_warmup",
    "is_in_window",
    "ttft_ms",
    "naive_ttft_ms",
    "tpot_ms",
    "e2e_ms",
    "lateness_ms",
    "connect_ms",
    "tls_ms",
    "headers_ms",
    "decode_ms",
    "engine_decode_ms",
    "prompt_tokens",
    "output_tokens",
    "n_chunks",
    "n_unknown_gaps",
    "n_reasoning_chunks",
    "chunk_is_not_token",
    "stop",
    "status",
    "suspended_ns",
    "suspended_by",
    "scheduled_ns",
    "sent_ns",
    "headers_ns",
    "ended_ns",
    "engine_timings",
    "text",
]
_YES_OR_NO = ("is_warmup", "is_in_window", "chunk_is_not_token")
_COUNTS = (
    *("level", "users", "warmup", "new_tokens", "number", "user", "status"),
    *("prompt_tokens", "output_tokens", "n_chunks", "n_unknown_gaps", "n_reasoning_chunks"),
    *("scheduled_ns", "sent_ns", "headers_ns", "ended_ns"),
)
_CHUNK = ["level_id", "run_id", "stack", "title", "language", "reach", "number", "user"]


def tidy_requests(
    requests: pd.DataFrame, levels: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame
) -> pd.DataFrame:
    """One row for each request, with its figures (`request_figures`), its level, stack and run.

    Args:
        requests: one row for each request of a load.
        levels: one row for each level.
        conditions: one row for each stack of a run.
        runs: one row for each run.

    Returns:
        `is_in_window`: whether it lies in the steady part of its level (`window`). `build`,
        `client_error`, `level_client_error` and `engine_timings` hold dictionaries or None.
        A stack without any request has one row: outcome `NO_SAMPLE`, `failure` says why.
        `random_weights` is true where the model was never trained. Stamps end in `_ns`.
    """
    figures = request_figures(requests, levels)
    figures["is_in_window"] = _is_in_window(figures, levels)
    stacks = stack_rows(conditions, runs)
    steps = levels.rename(columns=_LEVEL_NAMES)[
        ["level_id", "condition_id", *_LEVEL_NAMES.values(), *_LEVEL]
    ]
    asked = steps.merge(figures[["level_id", *_REQUEST]], on="level_id")
    rows = mark_absent(stacks.merge(asked, on="condition_id", how="left"))
    rows = rows.astype({**dict.fromkeys(_COUNTS, "Int64"), **dict.fromkeys(_YES_OR_NO, "boolean")})
    rows["engine_timings"] = as_objects(rows["engine_timings"], dict_or_empty)
    return rows.drop(columns=["condition_id", "level_id"])


def _is_in_window(figures: pd.DataFrame, levels: pd.DataFrame) -> pd.Series[bool]:
    is_inside = pd.Series(data=False, index=figures.index)
    for level in levels.to_dict(orient="records"):
        mine = figures[figures["level_id"] == level["level_id"]]
        is_inside.loc[mine.index] = steady_window(mine, level).holds(mine)
    return is_inside


def tidy_chunks(requests: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """One row for each chunk with content, in order of request and arrival.

    Returns:
        - run_id, stack, title, language, reach; level, arrivals, users, rate; number, user.
        - chunk_index: from 1. read: number of the read on its connection.
        - t_ms: since the request was due. gap_ms: since the read before; NaN for the first
          read (that is TTFT) and for chunks that shared a read, whose own times nobody saw.
        - tokens: in this chunk; 0: not known. is_reasoning.
    """
    sizes = [len(stamps) for stamps in requests["chunk_ns"]]
    owners = np.repeat(np.arange(len(requests)), sizes)
    stamps = _flat(requests["chunk_ns"], np.int64)
    reads = _flat(requests["chunk_reads"], np.int64)
    starts = np.repeat(np.cumsum([0, *sizes[:-1]]), sizes) if sizes else np.empty(0, np.int64)
    due = requests["scheduled_ns"].to_numpy(dtype=np.int64)[owners]
    index = np.arange(stamps.size) - starts
    has_gap = (index > 0) & (np.diff(reads, prepend=0) != 0)
    gaps = np.diff(stamps, prepend=0) / NS_PER_MS
    steps = levels.rename(columns=_LEVEL_NAMES)[["level_id", "level", "arrivals", "users", "rate"]]
    steps = steps.astype({"users": "Int64"})
    shared = requests[_CHUNK].merge(steps, on="level_id", how="left").drop(columns="level_id")
    return (
        shared.iloc[owners]
        .assign(
            chunk_index=index + 1,
            read=reads,
            t_ms=(stamps - due) / NS_PER_MS,
            gap_ms=np.where(has_gap, gaps, np.nan),
            tokens=_flat(requests["chunk_tokens"], np.int64),
            is_reasoning=_flat(requests["chunk_is_reasoning"], np.bool_),
        )
        .reset_index(drop=True)
    )


def _flat(arrays: pd.Series, kind: type[np.generic]) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype=kind), *arrays])
