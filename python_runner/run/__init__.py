"""The thin layer above the stages: puts them together, knows nothing of the command line."""

from python_runner.run.clean import plan_cleaning
from python_runner.run.compare import Comparison, compare, find_engines
from python_runner.run.doctor import Diagnosis, examine

__all__ = ["Comparison", "Diagnosis", "compare", "examine", "find_engines", "plan_cleaning"]
