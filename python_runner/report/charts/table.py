"""The table of pictures. A new picture is one function and one row here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from python_runner.report.charts.baseline import draw_baseline, draw_baseline_zoomed
from python_runner.report.charts.data import ChartData
from python_runner.report.charts.iterations import draw_iterations, draw_iterations_zoomed
from python_runner.report.charts.stages import draw_stage_shares, draw_stages


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One picture."""

    name: str
    """Name of its files, without the suffix."""
    draw: Callable[[ChartData], Figure]


CHARTS: tuple[Chart, ...] = (
    Chart(name="baseline", draw=draw_baseline),
    Chart(name="baseline-zoomed", draw=draw_baseline_zoomed),
    Chart(name="iterations", draw=draw_iterations),
    Chart(name="iterations-zoomed", draw=draw_iterations_zoomed),
    Chart(name="stages", draw=draw_stages),
    Chart(name="stages-shares", draw=draw_stage_shares),
)
