"""What owning a stack costs, as far as files tell: its lines, builds, packages and sizes.

`table.py` is where each engine says which files, builds and packages are its own; `collect.py`
turns that into figures. How each figure comes about is in docs/upkeep.md.
"""

from python_runner.engines.upkeep.collect import Inventory, facts_of
from python_runner.engines.upkeep.declared import Built, Upkeep
from python_runner.engines.upkeep.fact import Fact
from python_runner.engines.upkeep.table import UPKEEP, upkeep_of

__all__ = ["UPKEEP", "Built", "Fact", "Inventory", "Upkeep", "facts_of", "upkeep_of"]
