"""Stacks whose speed does not count, because their answers are wrong (`analyse.answers`)."""

from __future__ import annotations

import pandas as pd

COLUMN = "struck"
"""Of `conditions`, as `with_answers` adds it: the reason, else empty. It may be absent."""


def struck_out(conditions: pd.DataFrame) -> dict[int, str]:
    """`condition_id` to the reason, of those that are struck out."""
    if COLUMN not in conditions:
        return {}
    return {
        int(row["condition_id"]): row[COLUMN]
        for row in conditions.to_dict(orient="records")
        # An empty place of a column of texts is None or NaN, by the version of pandas.
        if isinstance(row[COLUMN], str) and row[COLUMN]
    }
