"""The table of pictures of loads. A new picture is one function and one row here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure

from python_runner.report.charts.load.over_load import draw_latency, draw_throughput, draw_users
from python_runner.report.charts.load.timeline import draw_timelines
from python_runner.report.charts.load.tradeoff import draw_tradeoff
from python_runner.report.load_data import LoadData


@dataclass(frozen=True, kw_only=True)
class LoadChart:
    """One kind of picture."""

    name: str
    """Name of its files, without the suffix."""
    draw: Callable[[LoadData], Figure]


LOAD_CHARTS: tuple[LoadChart, ...] = (
    LoadChart(name="users", draw=draw_users),
    LoadChart(name="ttft", draw=partial(draw_latency, figure="ttft")),
    LoadChart(name="itl", draw=partial(draw_latency, figure="itl")),
    LoadChart(name="tpot", draw=partial(draw_latency, figure="tpot")),
    LoadChart(name="e2e", draw=partial(draw_latency, figure="e2e")),
    LoadChart(name="throughput", draw=draw_throughput),
    LoadChart(name="latency-throughput", draw=draw_tradeoff),
)


def all_pictures(data: LoadData) -> Iterator[tuple[str, Figure]]:
    """Every picture of a load and its name; the timelines, one for each stack, come last."""
    for chart in LOAD_CHARTS:
        yield chart.name, chart.draw(data)
    for stack, figure in draw_timelines(data):
        yield f"over-time-{stack}", figure
