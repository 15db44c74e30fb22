"""What the columns of `tables` mean, with their units. A test holds this against the tables."""

from __future__ import annotations

from python_runner.analyse.columns.comparison import COMPARISON
from python_runner.analyse.columns.load import LOAD
from python_runner.analyse.columns.shared import Column, Columns

COLUMNS: dict[str, Columns] = {
    rows: {**COMPARISON.get(rows, {}), **LOAD.get(rows, {})} for rows in {**COMPARISON, **LOAD}
}
"""Table to its columns; where both kinds of runs have a table of that name, those of both."""

__all__ = ["COLUMNS", "COMPARISON", "LOAD", "Column", "Columns"]
