"""What owning a stack costs: one table of measured facts, each with its source.

How each figure comes about, and where it is weak, is in docs/upkeep.md.
"""

from python_runner.analyse.upkeep.table import COLUMNS, figure_base, upkeep, users_of

__all__ = ["COLUMNS", "figure_base", "upkeep", "users_of"]
