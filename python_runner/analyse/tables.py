"""The tables of stored runs by name, as analysts load them. `columns` says what they hold.

They are those of the export (`tidy`, `load.tidy`), with what a question needs first in front, a
path called `path`, and random weights called `is_synthetic`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from python_runner.analyse.answers import with_answers
from python_runner.analyse.answers.tidy import tidy_answers
from python_runner.analyse.fairness import fairness_pairs
from python_runner.analyse.latency import NAN, request_metrics
from python_runner.analyse.load.levels import summarise_levels
from python_runner.analyse.load.request import request_figures
from python_runner.analyse.load.tidy import tidy_chunks, tidy_requests
from python_runner.analyse.summary import summarise
from python_runner.analyse.tidy import tidy_pairs, tidy_samples, tidy_stages, tidy_tokens
from python_runner.common.clock import NS_PER_S
from python_runner.store import Frames

_NAMES = {"reach": "path", "random_weights": "is_synthetic"}
_SHIFT = "clock_shift_ns"
_KEY = ["run_id", "stack", "is_warmup", "iteration"]
_STACK = ("run_id", "stack", "title", "language", "path")
_MODEL = ("model", "is_synthetic", "precision", "threads")
_FIRST = (
    *(*_STACK, "version", *_MODEL, "arrivals", "level", "users", "rate", "number"),
    *("iteration", "block", "is_warmup", "is_in_window", "outcome", "failure", "started_s"),
    *("ttft_ms", "tpot_ms", "itl_p50_ms", "itl_max_ms", "e2e_ms"),
    *("decode_tokens_per_s", "output_tokens_per_s"),
    *("prompt_tokens", "output_tokens", "requested_tokens"),
)


def comparison_tables() -> Mapping[str, Callable[[Frames], pd.DataFrame]]:
    """The tables of runs of `compare`: name to what makes it of their frames."""
    return {
        "requests": _requests,
        "tokens": lambda frames: tidy_tokens(frames.samples, frames.conditions),
        "stages": lambda frames: tidy_stages(frames.samples, frames.conditions),
        "stacks": lambda frames: _described(summarise(frames.samples, _judged(frames)), frames),
        "pairs": lambda frames: tidy_pairs(frames.samples, _judged(frames), frames.runs),
        "fairness": lambda frames: fairness_pairs(frames.conditions),
        "answers": lambda frames: tidy_answers(frames.answers.answers, _judged(frames)),
    }


def load_tables() -> Mapping[str, Callable[[Frames], pd.DataFrame]]:
    """The tables of runs of `load`: name to what makes it of their frames."""
    return {
        "requests": _load_requests,
        "chunks": lambda frames: tidy_chunks(frames.load_requests, frames.load_levels),
        "levels": _levels,
        "fairness": lambda frames: fairness_pairs(frames.conditions),
    }


def named(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` with the names of columns that tables have, and what matters first in front."""
    renamed = rows.rename(columns=_NAMES)
    return renamed[in_order(renamed.columns)]


def in_order(columns: Iterable[str]) -> list[str]:
    """These columns, what matters first in front, the others as they stand."""
    known = list(columns)
    first = [name for name in _FIRST if name in known]
    return [*first, *(name for name in known if name not in first)]


def _judged(frames: Frames) -> pd.DataFrame:
    return with_answers(frames.conditions, frames.answers)


def _requests(frames: Frames) -> pd.DataFrame:
    rows = tidy_samples(frames.samples, _judged(frames), frames.runs)
    kinds = {"iteration": "Int64", "is_warmup": "boolean"}
    gaps = _gaps(frames.samples)[[*_KEY, "itl_p50_ms", "itl_max_ms", _SHIFT]].astype(kinds)
    return _started(rows.merge(gaps, on=_KEY, how="left"), "requested_ns")


def _load_requests(frames: Frames) -> pd.DataFrame:
    rows = tidy_requests(
        frames.load_requests, frames.load_levels, frames.conditions, frames.runs
    ).astype({"users": "Int64"})
    figures = request_figures(frames.load_requests, frames.load_levels)
    steps = frames.load_levels[["level_id", "number", _SHIFT]].rename(columns={"number": "level"})
    gaps = _itl(figures).merge(steps, on="level_id")
    key = ["run_id", "stack", "level", "number"]
    gaps = gaps[[*key, "itl_p50_ms", "itl_max_ms", _SHIFT]].astype(
        {"level": "Int64", "number": "Int64"}
    )
    return _started(rows.merge(gaps, on=key, how="left"), "scheduled_ns")


def _levels(frames: Frames) -> pd.DataFrame:
    figures = request_figures(frames.load_requests, frames.load_levels)
    levels = summarise_levels(figures, frames.load_levels).rename(columns={"number": "level"})
    return _described(levels, frames)


def _gaps(samples: pd.DataFrame) -> pd.DataFrame:
    return _itl(request_metrics(samples))


def _itl(measured: pd.DataFrame) -> pd.DataFrame:
    """Median and largest gap of each request, ms; NaN where no gap is known."""
    gaps = [np.asarray(values, dtype=np.float64) for values in measured["itl_ms"]]
    return measured.assign(
        itl_p50_ms=[float(np.median(each)) if each.size else NAN for each in gaps],
        itl_max_ms=[float(each.max()) if each.size else NAN for each in gaps],
    )


def _started(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """With the time of each request in seconds since the first one of its run.

    Where the machine was started anew in between, its clock began anew, too.
    """
    sent = rows[column].astype("Float64").astype(float) + rows[_SHIFT].astype(float).fillna(0.0)
    since = (sent - sent.groupby(rows["run_id"]).transform("min")) / NS_PER_S
    return rows.assign(started_s=since).drop(columns=_SHIFT)


def _described(rows: pd.DataFrame, frames: Frames) -> pd.DataFrame:
    """With the model, precision and threads of each row's condition."""
    known = frames.conditions.set_index("condition_id")
    columns: Sequence[str] = ("model", "is_synthetic", "precision", "threads")
    added = {name: rows["condition_id"].map(known[name]) for name in columns}
    return rows.assign(**added).drop(columns=["condition_id", "level_id"], errors="ignore")
