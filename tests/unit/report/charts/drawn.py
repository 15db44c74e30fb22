"""Draws charts for the tests, and finds on them what a reader sees."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from python_runner.report.charts.data import ChartData, chart_data
from python_runner.report.charts.draw import chart_style
from python_runner.report.charts.table import CHARTS
from tests.golden.frames import Frames

Points = npt.NDArray[np.float64]


def data_of(frames: Frames) -> ChartData:
    return chart_data(*frames)


def draw(name: str, frames: Frames) -> Figure:
    (chart,) = (chart for chart in CHARTS if chart.name == name)
    with chart_style():
        figure = chart.draw(data_of(frames))
        figure.draw_without_rendering()
    return figure


def texts(figure: Figure) -> list[Text]:
    """Every text that is really drawn."""
    off_axis = {id(label) for axes in figure.axes for label in _hidden_tick_labels(axes)}
    return [
        text
        for text in figure.findobj(Text)
        if isinstance(text, Text)
        and text.get_text().strip()
        and text.get_visible()
        and id(text) not in off_axis
    ]


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in texts(figure))


def boxes(figure: Figure) -> list[tuple[str, Bbox]]:
    return [(text.get_text(), text.get_window_extent()) for text in texts(figure)]


def marks(figure: Figure) -> Points:
    """Pixels of every dot and marker, shape (n, 2)."""
    found: list[Points] = [np.empty((0, 2))]
    for axes in figure.axes:
        for collection in axes.collections:
            if isinstance(collection, PathCollection):
                offsets = np.asarray(collection.get_offsets(), dtype=np.float64)
                found.append(axes.transData.transform(offsets))
        for line in axes.lines:
            if line.get_marker() not in ("None", "none", "", None):
                points = line.get_xydata()
                found.append(line.get_transform().transform(np.asarray(points)))
    return np.concatenate(found)


def _hidden_tick_labels(axes: Axes) -> Iterator[Text]:
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not axes.axison or not low <= tick.get_loc() <= high:
                yield tick.label1
        if not axes.axison:
            yield axis.label
