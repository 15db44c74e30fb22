"""The statistics, held against runs whose truth is known because they were made up."""

from python_runner.run.bench_statistics.proof import Figure, prove

__all__ = ["Figure", "prove"]
