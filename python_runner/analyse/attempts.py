"""Attempts that failed and were made again: how many, of whom, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

COLUMN = "failed_attempts"
"""Of `conditions`: a list of dictionaries for each stack. It may be absent."""
_FIELDS = ("block", "iteration", "is_warmup", "attempt", "error", "began_ns", "ended_ns")


@dataclass(frozen=True, kw_only=True)
class Again:
    """What a stack needed more than one attempt for."""

    requests: int
    """That have a sample, warm-up included."""
    asked_again: int
    """Of them, those of more than one attempt, whatever came of the last."""
    most_attempts: int
    """At one request."""
    starts: int
    """Starts that failed and were made again."""
    suspended: int
    """Requests in which nothing ran, so that they failed and the stack was started anew."""
    errors: Sequence[str]
    """Of all failed attempts, oldest first."""


def attempts_of(row: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """The failed attempts of a row of `conditions`."""
    found = row.get(COLUMN)
    return [dict(each) for each in found] if isinstance(found, list) else []


def again_by_stack(
    samples: pd.DataFrame, conditions: pd.DataFrame
) -> Iterator[tuple[Mapping[Any, Any], Again]]:
    """Each row of `conditions` whose stack needed more than one attempt for something."""
    for row in conditions.to_dict(orient="records"):
        failed = attempts_of(row)
        if not failed:
            continue
        mine = samples[samples["condition_id"] == row["condition_id"]]
        counts = mine["attempt"].astype(int)
        last = {_place(each) for each in mine.to_dict(orient="records")}
        yield (
            row,
            Again(
                requests=len(mine),
                asked_again=int((counts > 1).sum()),
                most_attempts=int(counts.max()) if len(counts) else 0,
                starts=sum(each["iteration"] is None for each in failed),
                # The last attempt at a request is its sample: one that is a row, too, is told for
                # what came after it.
                suspended=sum(_place(each) in last for each in failed),
                errors=[str(each["error"]) for each in failed],
            ),
        )


def _place(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return bool(row["is_warmup"]), row["iteration"], row["attempt"]


def tidy_attempts(conditions: pd.DataFrame) -> pd.DataFrame:
    """One row for each failed attempt, oldest first of each stack.

    Returns:
        run_id, stack, title; block (0: looked at before anything was timed), iteration (NA: to
        start it), is_warmup, attempt (from 1), error, began_ns and ended_ns of the run's own
        clock; model and random_weights.
    """
    rows = [
        {
            **{name: row[name] for name in ("run_id", "stack", "title")},
            **{name: failed[name] for name in _FIELDS},
            "model": row["model"],
            "random_weights": bool(row["is_synthetic"]),
        }
        for row in conditions.to_dict(orient="records")
        for failed in attempts_of(row)
    ]
    names = ("run_id", "stack", "title", *_FIELDS, "model", "random_weights")
    return pd.DataFrame(rows, columns=list(names)).astype({"iteration": "Int64"})
