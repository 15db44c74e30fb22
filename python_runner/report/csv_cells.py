"""Cells of a CSV file that a spreadsheet shows and does not compute."""

from __future__ import annotations

import contextlib

import pandas as pd
from pandas.api.types import is_object_dtype, is_string_dtype

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet knows a formula by."""


def inert(text: str) -> str:
    """`text`, with an apostrophe before it if a spreadsheet would take it for a formula.

    A model's answer may begin so, and a formula can read other cells and ask the net. Numbers
    stay as they are. Parquet and JSON hold every text as it was.
    """
    if not text.startswith(_FORMULA):
        return text
    with contextlib.suppress(ValueError):
        float(text)
        return text
    return f"'{text}"


def inert_table(table: pd.DataFrame) -> pd.DataFrame:
    """A copy of `table` whose texts, and the names of whose columns, are `inert`."""
    found = table.rename(columns=lambda name: inert(str(name)))
    for place, name in enumerate(found.columns):
        column = found.iloc[:, place]
        if is_object_dtype(column) or is_string_dtype(column):
            found[name] = [inert(one) if isinstance(one, str) else one for one in column]
    return found
