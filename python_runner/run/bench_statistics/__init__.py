"""The statistics, held against runs whose truth is known because they were made up."""

from python_runner.run.bench_statistics.alternatives import Alternative, alternatives
from python_runner.run.bench_statistics.proof import LAYOUTS, Figure, prove

__all__ = ["LAYOUTS", "Alternative", "Figure", "alternatives", "prove"]
