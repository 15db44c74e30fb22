"""Draws charts for the tests, and finds on them what a reader sees."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import isnan

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from python_runner.report.charts.data import ChartData, chart_data
from python_runner.report.charts.draw import chart_style
from python_runner.report.charts.load.table import all_pictures
from python_runner.report.charts.table import CHARTS
from python_runner.report.load_data import load_data
from python_runner.store import Frames as StoredFrames
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


def draw_load(frames: StoredFrames) -> dict[str, Figure]:
    """Every picture of a load, by its name."""
    with chart_style():
        figures = dict(all_pictures(load_data(frames)))
        for figure in figures.values():
            figure.draw_without_rendering()
    return figures


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


def assert_everything_has_its_place(figure: Figure, name: str = "") -> None:
    """Nothing is clipped, and no text lies on another, on the rule or on a mark."""
    page = figure.bbox
    found = boxes(figure)
    for text, box in found:
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, (name, text)
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, (name, text)
    for (text, box), (other, other_box) in combinations(found, 2):
        assert not _overlap(box, other_box), (name, text, other)
    (rule,) = (artist for artist in figure.artists if isinstance(artist, Line2D))
    height = rule.get_window_extent().y0
    assert not [text for text, box in found if box.y0 <= height <= box.y1]
    for x, y in marks(figure):
        if not isnan(x + y):  # a failed iteration has no place
            assert page.contains(x, y), name
            assert not [text for text, box in found if box.contains(x, y)], name


def _overlap(first: Bbox, second: Bbox) -> bool:
    shared = Bbox.intersection(first, second)
    # Boxes hold room for descenders; half a pixel of that is not an overlap.
    return shared is not None and shared.width > 0.5 and shared.height > 0.5
