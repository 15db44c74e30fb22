"""Latency and throughput over users, or over the rate of an open loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from python_runner.report.charts.data import looks
from python_runner.report.charts.load.curves import (
    Curve,
    Floats,
    curves_of,
    key_of,
    plot_curve,
    scale_loads,
    scale_values,
)
from python_runner.report.charts.page import MARGIN, WIDTH, make_page, say_nothing_measured
from python_runner.report.load_data import LoadData
from python_runner.report.load_facts import load_facts
from python_runner.report.palette import INK
from python_runner.report.units import TimeUnit, spell_time, unit_for

NOTHING = "No request with a figure (see below)"
_TICK_ROOM = 0.72
_HEIGHT = 3.0
_TITLE = 0.32
_GAP = 0.24
_LAST = 0.12
"""Room for half of the last mark, and of the number under it."""
_NAMES = {
    "ttft": ("TTFT", "first token"),
    "itl": ("ITL", "gap between two successive arrivals"),
    "tpot": ("TPOT", "time per output token after the first"),
    "e2e": ("E2E latency", "last token"),
}
_FROM_DUE = "ttft", "e2e"


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of axes: a column of the levels over their load."""

    title: str
    column: str
    y_name: str
    factor: float = 1.0
    """The values are divided by this."""
    is_percentile: bool = True
    """Whether it has an interval, and a mark that says if there are enough requests."""

    def values(self, curve: Curve, end: str = "") -> Floats:
        """Shape (levels,); of the interval's `low` or `high` end if named. NaN: there is none."""
        name = self.column.replace("_ms", f"_{end}_ms") if end else self.column
        return curve.levels[name].to_numpy(dtype=np.float64) / self.factor

    def extent(self, curves: Sequence[Curve]) -> Floats:
        """Everything that is drawn, for the scale."""
        ends = ("", "low", "high") if self.is_percentile else ("",)
        return np.concatenate([self.values(curve, end) for curve in curves for end in ends])

    def is_sure(self, curve: Curve) -> npt.NDArray[np.bool_]:
        """Whether each value stands on enough requests."""
        if not self.is_percentile:
            return np.ones(len(curve.levels), dtype=np.bool_)
        return curve.levels[self.column.replace("_ms", "_sure")].to_numpy(dtype=np.bool_)


def load_name(data: LoadData) -> str:
    """The name of the axis of loads."""
    return "Requests due per second" if data.is_open else "Users at once"


def draw_latency(data: LoadData, figure: str) -> Figure:
    """p50, p90 and p99 of one figure over the load, side by side on one scale."""
    name, what = _NAMES[figure]
    since = "from when it was due" if data.is_open else "from the request"
    meaning = f"{since} to the {what}" if figure in _FROM_DUE else what
    unit = _unit(data, figure)
    panels = [
        Panel(
            title=f"p{percentile}",
            column=f"{figure}_p{percentile}_ms",
            factor=unit.ms,
            y_name=f"{name} ({unit.name})",
        )
        for percentile in (50, 90, 99)
    ]
    how_to_read = (
        f"{name}: {meaning}. Whisker: 95% interval; paler and without one: too few requests to "
        "be sure."
    )
    return _draw(data, f"{name} under load", how_to_read, panels, shares_scale=True)


def draw_throughput(data: LoadData) -> Figure:
    """Output tokens and answers a second over the load, and goodput where targets were set."""
    columns = {"Output tokens/s, all users (TGR)": "tokens_per_s", "Answers/s": "requests_per_s"}
    how_to_read = "What arrived in the steady part of each level, over its length."
    if data.targets_ms:
        columns["Good answers/s (goodput)"] = "goodput_per_s"
        targets = ", ".join(
            f"{_NAMES[name][0]} {spell_time(limit)}" for name, limit in data.targets_ms.items()
        )
        how_to_read += f" Good: within {targets}."
    panels = [
        Panel(title="", column=column, y_name=name, is_percentile=False)
        for name, column in columns.items()
    ]
    return _draw(data, "Throughput under load", how_to_read, panels, shares_scale=False)


def draw_users(data: LoadData) -> Figure:
    """Median TTFT and output tokens a second over the load, side by side: both at one look."""
    unit = _unit(data, "ttft")
    panels = [
        Panel(
            title="TTFT, median",
            column="ttft_p50_ms",
            factor=unit.ms,
            y_name=f"TTFT ({unit.name})",
        ),
        Panel(
            title="TGR",
            column="tokens_per_s",
            y_name="Output tokens/s, all users",
            is_percentile=False,
        ),
    ]
    how_to_read = (
        "From the steady part of each level. Whisker: 95% interval; paler and without one: too "
        "few requests to be sure."
    )
    title = "Latency and throughput under load"
    return _draw(data, title, how_to_read, panels, shares_scale=False)


def _unit(data: LoadData, figure: str) -> TimeUnit:
    columns = [f"{figure}_p{percentile}_ms" for percentile in (50, 90, 99)]
    longest = data.levels[columns].max().max() if len(data.levels) else 0.0
    return unit_for(float(np.nan_to_num(longest)))


def _draw(
    data: LoadData,
    title: str,
    how_to_read: str,
    panels: Sequence[Panel],
    *,
    shares_scale: bool,
) -> Figure:
    curves = curves_of(data)
    key = key_of(curves, WIDTH - 2 * MARGIN)
    page = make_page(
        title=title,
        how_to_read=how_to_read if curves else "",
        facts=load_facts(data),
        left=0.0,
        right=0.0,
        body=key.height + _TITLE + _HEIGHT if curves else 1.0,
    )
    if not curves:
        say_nothing_measured(page.axes, NOTHING)
        return page.figure
    key.draw(page)
    everything = np.concatenate([panel.extent(curves) for panel in panels])
    loads = np.concatenate([curve.loads for curve in curves])
    places = _places(page.axes_width, len(panels), shares_scale=shares_scale)
    for index, (panel, (left, width)) in enumerate(zip(panels, places, strict=True)):
        axes = page.inset(left=left, top=key.height + _TITLE, width=width, height=_HEIGHT)
        extent = everything if shares_scale else panel.extent(curves)
        scale_values(axes, extent, panel.y_name, may_be_log=panel.is_percentile)
        scale_loads(axes, loads, width, load_name(data))
        if shares_scale and index:
            axes.set_ylabel("")
            axes.tick_params(labelleft=False)
        axes.set_title(panel.title, fontsize=10.5, fontweight="bold", color=INK, loc="left")
        for curve in curves:
            _plot(axes, panel, curve)
    return page.figure


def _places(room: float, count: int, *, shares_scale: bool) -> list[tuple[float, float]]:
    """Left edge and width of each panel in inches."""
    scales = 1 if shares_scale else count
    width = (room - scales * _TICK_ROOM - (count - 1) * _GAP - _LAST) / count
    return [
        ((1 if shares_scale else index + 1) * _TICK_ROOM + index * (width + _GAP), width)
        for index in range(count)
    ]


def _plot(axes: Axes, panel: Panel, curve: Curve) -> None:
    plot_curve(axes, curve, curve.loads, panel.values(curve), panel.is_sure(curve))
    if not panel.is_percentile:
        return
    language, _ = looks(curve.stack)
    lows, highs = panel.values(curve, "low"), panel.values(curve, "high")
    known = np.isfinite(lows) & np.isfinite(highs)
    axes.vlines(curve.loads[known], lows[known], highs[known], color=language.color, linewidth=1.2)
