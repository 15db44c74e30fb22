"""Frames that stand on their own: every row carries its figures and its conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.compare import METRICS, pairs_of_run
from python_runner.analyse.latency import RATE_AND_TIME_COLUMNS, request_metrics
from python_runner.analyse.stages.frame import stage_frame
from python_runner.analyse.trace import token_trace

NO_SAMPLE = "no sample"
"""Outcome of a stack that has not one request, so that it does not vanish from the table."""

_RUN = [
    *("run_id", "study", "created", "run_status", "run_parts", "program_version"),
    "allowed_unfair",
]
_HOST = ("cpu", "cores", "memory_bytes", "os", "python")
_STACK = [
    "stack",
    "title",
    "language",
    "reach",
    "version",
    "model",
    "model_label",
    "random_weights",
    "source_sha256",
    "precision",
    "device",
    "threads",
    "context",
    "slots",
    "template",
    "sampling",
    "prompt_cache",
    "build",
    "facts",
    "client_error",
    "callback_cost_ns",
    "load_seconds",
    "loads",
    "peak_memory_bytes",
    "stack_error",
]
_COUNTS = [
    "iteration",
    "block",
    "attempt",
    "prompt_tokens",
    "output_tokens",
    "requested_tokens",
    "requested_ns",
    "ended_ns",
]
_REQUEST = [
    "iteration",
    "block",
    "is_warmup",
    "outcome",
    "failure",
    *RATE_AND_TIME_COLUMNS,
    "prompt_tokens",
    "output_tokens",
    "requested_tokens",
    "stop",
    "requested_ns",
    "ended_ns",
    "probe_compute_ns",
    "probe_memory_ns",
    "probe_elapsed_ns",
    "probe_waited_ns",
    "suspended_ns",
    "suspended_by",
    "wall_jump_ns",
    "engine_timings",
    "resources",
    "token_ids",
    "prompt_text",
    "text",
    "attempt",
]


def tidy_samples(
    samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame
) -> pd.DataFrame:
    """One row for each request, with its figures (`request_metrics`), conditions and run.

    Args:
        samples: one row for each request.
        conditions: one row for each stack of a run.
        runs: one row for each run.

    Returns:
        Also a row for each stack without any request: outcome `NO_SAMPLE`, `failure` says
        why. `build`, `facts`, `client_error` (or None), `engine_timings` and `resources` hold
        dictionaries, `allowed_unfair`, `loads` and `token_ids` lists, `token_ids` also None.
        `random_weights` is true where the model was never trained.
    """
    requests = request_metrics(samples)[["condition_id", *_REQUEST]]
    stacks = stack_rows(conditions, runs)
    rows = mark_absent(stacks.merge(requests, on="condition_id", how="left"))
    rows = rows.astype({**dict.fromkeys(_COUNTS, "Int64"), "is_warmup": "boolean"})
    rows["token_ids"] = as_objects(rows["token_ids"], _list_or_none)
    for name in ("engine_timings", "resources"):
        rows[name] = as_objects(rows[name], dict_or_empty)
    struck = conditions[["condition_id", "struck"]] if "struck" in conditions else None
    if struck is not None:  # after the stack's own columns: why its speed does not count
        rows = rows.merge(struck, on="condition_id", how="left")
    own = [] if struck is None else ["struck"]
    return rows[[*stacks.columns.drop("condition_id"), *_REQUEST, *own]]


def stack_rows(conditions: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """One row for each stack of each run: its run, its host, and all that it ran under.

    Besides `condition_id`, the columns are those with which every exported table begins.
    """
    hosts = pd.DataFrame(
        [{f"host_{name}": host.get(name) for name in _HOST} for host in runs["host"]],
        index=runs.index,
        columns=[f"host_{name}" for name in _HOST],
    )
    told = runs.rename(columns={"status": "run_status"}).assign(run_parts=parts_of(runs))
    described = pd.concat([told[_RUN], hosts], axis=1)
    stacks = conditions.rename(columns={"is_synthetic": "random_weights", "error": "stack_error"})
    return described.merge(stacks[["run_id", "condition_id", *_STACK]], on="run_id")


def parts_of(runs: pd.DataFrame) -> list[int]:
    """In how many parts each run was measured: 1, and 1 for each time that it went on."""
    went_on = runs["resumed"] if "resumed" in runs else [None] * len(runs)
    return [1 + (len(times) if isinstance(times, list) else 0) for times in went_on]


def mark_absent(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the row of a stack without any request its outcome and its reason."""
    is_absent = rows["outcome"].isna()
    return rows.assign(
        failure=rows["failure"].where(~is_absent, rows["stack_error"]),
        outcome=rows["outcome"].where(~is_absent, NO_SAMPLE),
    )


def as_objects(values: pd.Series[Any], convert: Callable[[object], object]) -> pd.Series[Any]:
    """Each value converted; a join leaves NaN where there was none."""
    return pd.Series([convert(value) for value in values], index=values.index, dtype="object")


def _list_or_none(value: object) -> list[int] | None:
    return value.tolist() if isinstance(value, np.ndarray) else None


def dict_or_empty(value: object) -> object:
    """A dictionary, also where a join left none."""
    return value if isinstance(value, dict) else {}


def tidy_tokens(samples: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """`token_trace`, and for each row the model and whether its weights are random."""
    return _with_model(token_trace(samples), conditions)


def tidy_stages(samples: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """`stage_frame`, and for each row the model and whether its weights are random."""
    return _with_model(stage_frame(samples), conditions)


def _with_model(rows: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    models = conditions[["condition_id", "model", "is_synthetic"]]
    named = models.rename(columns={"is_synthetic": "random_weights"})
    return rows.merge(named, on="condition_id").drop(columns="condition_id")


def tidy_pairs(samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """`pairs_of_run` of each run and metric, and whether the model's weights are random."""
    models = conditions.set_index("condition_id")["is_synthetic"]
    tables = []
    for run_id in runs["run_id"]:
        parts = [frame[frame["run_id"] == run_id] for frame in (samples, conditions, runs)]
        tables += [pairs_of_run(*parts, metric=metric) for metric in METRICS]
    pairs = pd.concat([table for table in tables if len(table)] or tables[:1])
    random = pairs["condition_id_left"].map(models)
    return pairs.assign(random_weights=random).drop(
        columns=["condition_id_left", "condition_id_right"]
    )
