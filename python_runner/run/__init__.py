"""The thin layer above the stages: puts them together, knows nothing of the command line."""

from python_runner.run.compare import Comparison, compare, find_engines

__all__ = ["Comparison", "compare", "find_engines"]
