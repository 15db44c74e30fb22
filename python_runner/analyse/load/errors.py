"""Errors by kind."""

from __future__ import annotations

import pandas as pd

from python_runner.analyse.load.request import LoadOutcome

REFUSING = (429, 503)
"""HTTP status of a server that has no room now."""
_COLUMNS = ("level_id", "kind", "status", "count", "example")


def errors_by_kind(figures: pd.DataFrame) -> pd.DataFrame:
    """Count the failed requests of each level, warm-up included, the most frequent first.

    Args:
        figures: requests with their outcomes (`request_figures`).

    Returns:
        One row for each level, kind of error and HTTP status: level_id, kind, status (0: no
        answer), count, example (the first reason, in the server's or the client's words).
    """
    failed = figures[figures["outcome"] == LoadOutcome.FAILED.value]
    if failed.empty:
        return pd.DataFrame(columns=list(_COLUMNS))
    grouped = failed.rename(columns={"failure_kind": "kind"}).groupby(
        ["level_id", "kind", "status"], sort=False
    )
    counted = grouped.agg(count=("failure", "size"), example=("failure", "first")).reset_index()
    return counted.sort_values(
        ["level_id", "count"], ascending=[True, False], kind="stable", ignore_index=True
    )[list(_COLUMNS)]


def refused(errors: pd.DataFrame) -> int:
    """How many requests the server refused before it worked on them: no connection, 429, 503.

    Args:
        errors: rows of `errors_by_kind`.
    """
    is_refused = (errors["kind"] == "connect") | errors["status"].isin(REFUSING)
    return int(errors.loc[is_refused, "count"].sum())
