"""One value of a table."""

from __future__ import annotations

from typing import Any

import pandas as pd


def cell(frame: pd.DataFrame, row: int | str, column: str) -> Any:
    """What lies there. Which type it has is the column's affair, and pandas does not know it."""
    return frame.at[row, column]
