"""The latency of every iteration, stack by stack: drift and outliers become visible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from python_runner.analyse.fast import FAST_FACTOR
from python_runner.report.answers import STRUCK, struck_of
from python_runner.report.charts.data import (
    ChartData,
    left_out_words,
    looks,
    served_words,
    stack_kind,
    stack_name,
    struck_words,
)
from python_runner.report.charts.page import WIDTH, Page, say_nothing_measured
from python_runner.report.charts.panels import make_panels
from python_runner.report.charts.text import line_height, spread, text_width, wrap
from python_runner.report.palette import GRID, INK, PAPER, QUIET, tint
from python_runner.report.paths import panels
from python_runner.report.units import TIMES, TimeUnit, spell_time, unit_for

TITLE = "Latency of every iteration"
ZOOMED_TITLE = "Latency of every iteration, zoomed on the fast stacks"
_MARKS = "Each mark is one timed request."
_NAME_SIZE = 10.5
_KIND_SIZE = 9.0
_WIDEST_LABEL = WIDTH * 0.235
_TICK_ROOM = 0.78
_LEADER = 0.5
"""Inches between the axes and the labels, for the lines that join the two."""
_KEY = 0.2
"""Inches for the mark that stands before a label."""
_LABEL_PADDING = 0.13
_LOWEST_BODY = 4.3
_LOWEST_PANEL = 2.5
DASHES: tuple[Literal["solid"] | tuple[float, tuple[float, ...]], ...] = (
    "solid",
    (0, (5, 2)),
    (0, (1.5, 1.5)),
    (0, (6, 2, 1.5, 2)),
)
"""For stacks of the same language and path: the first, the second, and so on."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One stack and the label at the end of its line."""

    stack: Mapping[Any, Any]
    iterations: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    """E2E latency in ms, shape (n,); NaN where an iteration is not complete."""
    label: tuple[tuple[str, float, str], ...]
    """Lines of text with size and colour."""
    dash: int

    @property
    def label_height(self) -> float:
        return sum(line_height(size) for _, size, _ in self.label) + _LABEL_PADDING

    @property
    def label_width(self) -> float:
        return max(text_width(text, size, "bold") for text, size, _ in self.label)


def draw_iterations(data: ChartData) -> Figure:
    """All stacks, from zero."""
    struck = struck_words(data.measured, "Without colour")
    return _draw(data, data.measured, TITLE, _MARKS + struck, zoomed=False)


def draw_iterations_zoomed(data: ChartData) -> Figure:
    """The fast stacks (`fast_stacks` says which), on the part of the axis where they are."""
    fast = data.fast
    which = f"Stacks within {FAST_FACTOR:g}{TIMES} of the fastest. {left_out_words(fast)}"
    return _draw(data, fast.shown, ZOOMED_TITLE, which + _MARKS, zoomed=True)


def _draw(
    data: ChartData, stacks: pd.DataFrame, title: str, how_to_read: str, *, zoomed: bool
) -> Figure:
    shown = panels(stacks)
    parts = [_series(data, panel.stacks) for panel in shown]
    series = [one for part in parts for one in part]
    labels_width = max((one.label_width for one in series), default=0.0)
    framed = make_panels(
        [panel.caption for panel in shown] or [""],
        [_height(part, alone=len(parts) == 1) for part in parts] or [1.0],
        title=title,
        how_to_read=how_to_read + _more_words(stacks, len(parts)) if series else "",
        facts=data.facts,
        left=_TICK_ROOM,
        right=_LEADER + _KEY + labels_width if series else 0.0,
    )
    if not series:
        say_nothing_measured(framed.last.axes)
        return framed.figure
    unit = unit_for(max(float(np.nanmax(one.values)) for one in series))
    for page, part in zip(framed.pages, parts, strict=True):
        # One scale for all panels: what is to be compared across them can be.
        _scale(page.axes, series, unit, zoomed=zoomed, is_named=page is framed.last)
        for one in part:
            _plot(page.axes, one, unit)
        _write_labels(page, part, unit)
    return framed.figure


def _more_words(stacks: pd.DataFrame, panel_count: int) -> str:
    scale = " Both panels have one scale." if panel_count > 1 else ""
    return served_words(stacks, "Unfilled marks") + scale


def _height(series: Sequence[Series], *, alone: bool) -> float:
    lowest = _LOWEST_BODY if alone else _LOWEST_PANEL
    return max(lowest, sum(one.label_height for one in series))


def _series(data: ChartData, stacks: pd.DataFrame) -> list[Series]:
    seen: dict[str, int] = {}
    found = []
    for stack in stacks.to_dict(orient="records"):
        kind = stack_kind(stack)
        mine = data.iterations_of(stack["condition_id"]).set_index("iteration")["e2e_ms"]
        # A place for each iteration: what failed leaves a gap, and no line runs over it.
        mine = mine.reindex(range(int(mine.index.min()), int(mine.index.max()) + 1))
        names = wrap(stack_name(stack), _WIDEST_LABEL, _NAME_SIZE, "bold", most_lines=3)
        found.append(
            Series(
                stack=stack,
                iterations=mine.index.to_numpy(dtype=np.int64),
                values=mine.to_numpy(dtype=np.float64),
                label=(
                    *((name, _NAME_SIZE, INK) for name in names),
                    (f"{kind} · {_median_of(stack)}", _KIND_SIZE, QUIET),
                ),
                dash=seen.get(kind, 0) % len(DASHES),
            )
        )
        seen[kind] = seen.get(kind, 0) + 1
    return found


def _median_of(stack: Mapping[Any, Any]) -> str:
    return STRUCK if struck_of(stack) else f"median {spell_time(stack['e2e_ms'])}"


def _color_of(stack: Mapping[Any, Any]) -> str:
    return QUIET if struck_of(stack) else looks(stack)[0].color


def _scale(
    axes: Axes, series: Sequence[Series], unit: TimeUnit, *, zoomed: bool, is_named: bool
) -> None:
    """Scale and name the axes by all series of the picture."""
    last = max(int(one.iterations.max()) for one in series)
    first = min(int(one.iterations.min()) for one in series)
    axes.set_xlim(first - 0.5, last + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    values = np.concatenate([one.values for one in series]) / unit.ms
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if zoomed:
        margin = max(0.08 * (high - low), 0.004 * high)
        axes.set_ylim(max(0.0, low - margin), high + margin)
    else:
        axes.set_ylim(0, high * 1.06)
    note = "\naxis does not start at zero" if axes.get_ylim()[0] > 0 else ""
    axes.set_ylabel(f"E2E latency ({unit.name}){note}", fontsize=10, color=INK)
    name = "Timed iteration, in the order of measurement" if is_named else ""
    axes.set_xlabel(name, fontsize=10, color=INK, labelpad=6)
    axes.grid(axis="y", color=GRID, linewidth=0.9)


def _plot(axes: Axes, one: Series, unit: TimeUnit) -> None:
    language, reach = looks(one.stack)
    color = _color_of(one.stack)
    axes.plot(
        one.iterations,
        one.values / unit.ms,
        linestyle=DASHES[one.dash],
        linewidth=1.1,
        color=tint(color, 0.4),
        marker=language.marker,
        markersize=7,
        # Hollow and on top, so that a mark behind it is still seen.
        markerfacecolor=color if reach.is_filled else "none",
        markeredgecolor=PAPER if reach.is_filled else color,
        markeredgewidth=0.8 if reach.is_filled else 1.5,
        label=str(one.stack["stack"]),
        clip_on=False,
        zorder=3 if reach.is_filled else 4,
    )


def _write_labels(page: Page, series: Sequence[Series], unit: TimeUnit) -> None:
    """Labels at the right, each joined to the last mark of its line."""
    low, high = page.axes.get_ylim()
    room = page.axes_height
    ends = [(high - one.values[-1] / unit.ms) / (high - low) * room for one in series]
    centres = spread(ends, [one.label_height for one in series], room)
    for one, end, centre in zip(series, ends, centres, strict=True):
        _leader(page, one, end, centre)
        top = centre - (one.label_height - _LABEL_PADDING) / 2
        for number, (text, size, color) in enumerate(one.label):
            page.axes.text(
                1 + page.across(_LEADER + _KEY),
                1 - (top + 0.74 * line_height(size)) / room,
                text,
                transform=page.axes.transAxes,
                fontsize=size,
                fontweight="normal" if number == len(one.label) - 1 else "bold",
                color=color,
                va="baseline",
                parse_math=False,
            )
            top += line_height(size)


def _leader(page: Page, one: Series, end: float, centre: float) -> None:
    """A thin line from the last mark to the label, and the mark again before the label."""
    language, reach = looks(one.stack)
    color = _color_of(one.stack)
    room = page.axes_height
    low, high = page.axes.get_xlim()
    last = (float(one.iterations[-1]) - low) / (high - low)
    # Only from the last iteration of all: further left, the line would pass for data.
    start = last + page.across(0.07) if one.iterations[-1] + 1 > high else 1.0
    page.axes.add_line(
        Line2D(
            [start, 1 + page.across(0.06), 1 + page.across(_LEADER - 0.16)],
            [1 - end / room, 1 - end / room, 1 - centre / room],
            transform=page.axes.transAxes,
            color=tint(color, 0.45),
            linewidth=0.9,
            linestyle=DASHES[one.dash],
            clip_on=False,
            zorder=1,
        )
    )
    page.axes.add_line(
        Line2D(
            [1 + page.across(_LEADER)],
            [1 - centre / room],
            transform=page.axes.transAxes,
            marker=language.marker,
            markersize=7,
            markerfacecolor=color if reach.is_filled else "none",
            markeredgecolor=color,
            markeredgewidth=1.5,
            linestyle="none",
            clip_on=False,
        )
    )
