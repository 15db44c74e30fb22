"""Clients of many streams, held against a server whose truth is known, and against a floor."""

from python_runner.run.client_bench.figures import ClientFigures, figures_of
from python_runner.run.client_bench.survey import Bench, BenchRow, run_bench

__all__ = ["Bench", "BenchRow", "ClientFigures", "figures_of", "run_bench"]
