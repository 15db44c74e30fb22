"""Latency against throughput: what more users cost each of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from python_runner.report.charts.load.curves import (
    Curve,
    Floats,
    curves_of,
    key_of,
    plot_curve,
    scale_values,
)
from python_runner.report.charts.load.over_load import NOTHING
from python_runner.report.charts.page import MARGIN, WIDTH, make_page, say_nothing_measured
from python_runner.report.charts.text import line_height, text_width
from python_runner.report.load_data import LoadData
from python_runner.report.load_facts import load_facts
from python_runner.report.palette import GRID, INK, PAPER, QUIET
from python_runner.report.units import unit_for

_TICK_ROOM = 0.78
_GAP = 0.3
_HEIGHT = 3.4
_ABOVE = 0.2
_LABEL_SIZE = 9.0
_MARK = 0.075
"""Half a mark, in inches."""
_FIGURES = {"ttft_p99_ms": "TTFT p99", "e2e_p50_ms": "E2E latency p50"}

Box = tuple[float, float, float, float]
"""Left, lower, right and upper edge in inches."""


def draw_tradeoff(data: LoadData) -> Figure:
    """TTFT at p99 and E2E latency at p50 against output tokens per second, a mark a level."""
    curves = curves_of(data)
    key = key_of(curves, WIDTH - 2 * MARGIN)
    steps = "requests due per second" if data.is_open else "users"
    how_to_read = (
        f"Each mark is a level, its number the {steps}; a line leads from the smallest load to the "
        "largest. Lower and further right is better. Paler: too few requests to be sure."
    )
    page = make_page(
        title="Latency against throughput",
        how_to_read=how_to_read if curves else "",
        facts=load_facts(data),
        left=0.0,
        right=0.0,
        body=key.height + _ABOVE + _HEIGHT if curves else 1.0,
    )
    if not curves:
        say_nothing_measured(page.axes, NOTHING)
        return page.figure
    key.draw(page)
    width = (page.axes_width - 2 * _TICK_ROOM - _GAP - 0.1) / 2
    for index, column in enumerate(_FIGURES):
        left = _TICK_ROOM + index * (width + _GAP + _TICK_ROOM)
        axes = page.inset(left=left, top=key.height + _ABOVE, width=width, height=_HEIGHT)
        _panel(axes, curves, column, width)
    return page.figure


def _panel(axes: Axes, curves: list[Curve], column: str, width: float) -> None:
    values = np.concatenate([curve.levels[column].to_numpy(dtype=np.float64) for curve in curves])
    unit = unit_for(float(np.nanmax(values)) if np.isfinite(values).any() else 0.0)
    scale_values(axes, values / unit.ms, f"{_FIGURES[column]} ({unit.name})", may_be_log=True)
    rates = np.concatenate([_rates(curve) for curve in curves])
    axes.set_xlim(0, float(np.nanmax(rates)) * 1.12 or 1.0)
    axes.set_xlabel("Output tokens/s over all users (TGR)", fontsize=10, color=INK, labelpad=6)
    axes.grid(axis="x", color=GRID, linewidth=0.9)
    for curve in curves:
        y = curve.levels[column].to_numpy(dtype=np.float64) / unit.ms
        is_sure = curve.levels[column.replace("_ms", "_sure")].to_numpy(dtype=np.bool_)
        plot_curve(axes, curve, _rates(curve), y, is_sure)
    _write_loads(axes, curves, column, unit.ms, width)


def _rates(curve: Curve) -> Floats:
    return curve.levels["tokens_per_s"].to_numpy(dtype=np.float64)


def _write_loads(axes: Axes, curves: list[Curve], column: str, factor: float, width: float) -> None:
    """The load beside each mark, where there is room that no mark and no other number takes."""
    to_inches = axes.transAxes.inverted()
    marks: list[tuple[float, float, str]] = []
    for curve in curves:
        y = curve.levels[column].to_numpy(dtype=np.float64) / factor
        for load, x_value, y_value in zip(curve.loads, _rates(curve), y, strict=True):
            if np.isfinite([x_value, y_value]).all():
                place = to_inches.transform(axes.transData.transform((x_value, y_value)))
                marks.append((float(place[0]) * width, float(place[1]) * _HEIGHT, f"{load:,g}"))
    taken = [(across - _MARK, up - _MARK, across + _MARK, up + _MARK) for across, up, _ in marks]
    for across, up, text in marks:
        for box in _candidates(across, up, text):
            if _is_free(box, taken, width):
                taken.append(box)
                axes.text(
                    (box[0] + box[2]) / 2 / width,
                    (box[1] + box[3]) / 2 / _HEIGHT,
                    text,
                    transform=axes.transAxes,
                    fontsize=_LABEL_SIZE,
                    color=QUIET,
                    ha="center",
                    va="center",
                    # A rim of paper, so that a line does not cross the digits.
                    path_effects=[withStroke(linewidth=3, foreground=PAPER)],
                    zorder=5,
                )
                break


def _candidates(x: float, y: float, text: str) -> Iterator[Box]:
    """Above, right, below and left of a mark."""
    wide, high = text_width(text, _LABEL_SIZE) / 2 + 0.02, line_height(_LABEL_SIZE) / 2
    out_x, out_y = wide + _MARK + 0.02, high + _MARK + 0.01
    for across, up in ((0.0, out_y), (out_x, 0.0), (0.0, -out_y), (-out_x, 0.0)):
        yield (x + across - wide, y + up - high, x + across + wide, y + up + high)


def _is_free(box: Box, taken: list[Box], width: float) -> bool:
    left, low, right, top = box
    if left < 0.03 or low < 0.03 or right > width or top > _HEIGHT:
        return False
    return not any(
        left < other[2] and other[0] < right and low < other[3] and other[1] < top
        for other in taken
    )
