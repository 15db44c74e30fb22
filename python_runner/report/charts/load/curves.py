"""Stacks as curves: how each is drawn, the key that names them, and scales for their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, LogLocator, NullLocator

from python_runner.report.charts.data import looks, stack_kind, stack_name
from python_runner.report.charts.iterations import DASHES
from python_runner.report.charts.page import Page
from python_runner.report.charts.text import line_height, text_width, wrap
from python_runner.report.load_data import LoadData
from python_runner.report.palette import GRID, INK, PAPER, QUIET, tint

_NAME_SIZE = 10.0
_KIND_SIZE = 9.0
_TICK_SIZE = 9.5
_SAMPLE = 0.42
"""Inches of line before a name in the key."""
_ENTRY_GAP = 0.32
_WIDEST_ENTRY = 3.6
_LOG_FROM_LOADS = 8.0
_LOG_FROM_VALUES = 20.0
_ROOM_ABOVE = 1.08
_UNSURE_TINT = 0.45

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One stack and its levels with a figure, in order of their load."""

    stack: Mapping[Any, Any]
    levels: pd.DataFrame
    dash: int

    @property
    def loads(self) -> Floats:
        """Users, or requests a second, of each level, shape (n,)."""
        users = self.levels["users"].to_numpy(dtype=np.float64)
        rates = self.levels["rate"].to_numpy(dtype=np.float64)
        return np.where(np.isnan(users), rates, users)


def curves_of(data: LoadData) -> list[Curve]:
    """The stacks that have a level with a figure."""
    seen: dict[str, int] = {}
    curves = []
    for stack in data.conditions.to_dict(orient="records"):
        mine = data.measured[data.measured["condition_id"] == stack["condition_id"]]
        if mine.empty:
            continue
        kind = stack_kind(stack)
        ordered = mine.sort_values(["users", "rate"], kind="stable")
        curves.append(Curve(stack=stack, levels=ordered, dash=seen.get(kind, 0) % len(DASHES)))
        seen[kind] = seen.get(kind, 0) + 1
    return curves


def plot_curve(
    axes: Axes, curve: Curve, x: Floats, y: Floats, is_sure: npt.NDArray[np.bool_]
) -> None:
    """A line with a mark for each level; paler where it stands on too few requests."""
    language, reach = looks(curve.stack)
    axes.plot(x, y, linestyle=DASHES[curve.dash], linewidth=1.2, color=tint(language.color, 0.45))
    for index in np.flatnonzero(np.isfinite(y)):
        color = language.color if is_sure[index] else tint(language.color, _UNSURE_TINT)
        axes.plot(
            x[index],
            y[index],
            linestyle="none",
            marker=language.marker,
            markersize=7,
            markerfacecolor=color if reach.is_filled else PAPER,
            markeredgecolor=PAPER if reach.is_filled else color,
            markeredgewidth=0.8 if reach.is_filled else 1.6,
            clip_on=False,
            zorder=3,
            label=str(curve.stack["stack"]),
        )


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A stack in the key."""

    curve: Curve
    name: tuple[str, ...]
    kind: str

    @property
    def width(self) -> float:
        names = (text_width(line, _NAME_SIZE, "bold") for line in self.name)
        return _SAMPLE + max(*names, text_width(self.kind, _KIND_SIZE))

    @property
    def height(self) -> float:
        return len(self.name) * line_height(_NAME_SIZE) + line_height(_KIND_SIZE)


@dataclass(frozen=True, kw_only=True)
class Key:
    """Which line is which stack: rows of entries above the panels."""

    rows: tuple[tuple[_Entry, ...], ...]

    @property
    def height(self) -> float:
        return sum(_row_height(row) for row in self.rows)

    def draw(self, page: Page) -> None:
        """At the top of the page's body, whose own scales become inches and vanish."""
        axes = page.axes
        axes.set_axis_off()
        axes.set_xlim(0, page.axes_width)
        axes.set_ylim(page.axes_height, 0)
        top = 0.0
        for row in self.rows:
            left = 0.0
            for entry in row:
                _draw_entry(axes, entry, left, top)
                left += entry.width + _ENTRY_GAP
            top += _row_height(row)


def key_of(curves: Sequence[Curve], width: float) -> Key:
    """Lay the key out in rows of at most `width` inches."""
    rows: list[tuple[_Entry, ...]] = []
    for curve in curves:
        names = wrap(stack_name(curve.stack), _WIDEST_ENTRY, _NAME_SIZE, "bold", most_lines=2)
        entry = _Entry(curve=curve, name=tuple(names), kind=stack_kind(curve.stack))
        used = sum(one.width + _ENTRY_GAP for one in rows[-1]) if rows else width
        if used + entry.width <= width:
            rows[-1] = (*rows[-1], entry)
        else:
            rows.append((entry,))
    return Key(rows=tuple(rows))


def _row_height(row: Iterable[_Entry]) -> float:
    return max(entry.height for entry in row) + 0.1


def _draw_entry(axes: Axes, entry: _Entry, left: float, top: float) -> None:
    language, reach = looks(entry.curve.stack)
    axes.plot(
        [left, left + 0.16, left + 0.32],
        [top + 0.1] * 3,
        linestyle=DASHES[entry.curve.dash],
        linewidth=1.2,
        color=tint(language.color, 0.45),
        marker=language.marker,
        markevery=[1],
        markersize=7,
        markerfacecolor=language.color if reach.is_filled else PAPER,
        markeredgecolor=language.color,
        markeredgewidth=1.6,
        clip_on=False,
    )
    lines = [(name, _NAME_SIZE, "bold", INK) for name in entry.name]
    for text, size, weight, color in [*lines, (entry.kind, _KIND_SIZE, "normal", QUIET)]:
        axes.text(
            left + _SAMPLE,
            top + 0.74 * line_height(size),
            text,
            fontsize=size,
            fontweight=weight,
            color=color,
            va="baseline",
            parse_math=False,
        )
        top += line_height(size)


def scale_loads(axes: Axes, loads: Floats, width: float, name: str) -> None:
    """The x axis: users or rates, a tick at each that has room for its number."""
    low, high = float(loads.min()), float(loads.max())
    if high / low >= _LOG_FROM_LOADS:
        axes.set_xscale("log")
        pad = (high / low) ** 0.07
        axes.set_xlim(low / pad, high * pad)
    else:
        axes.set_xlim(*((0, high * 1.1) if high > low else (0.5 * low, 1.5 * low)))
    texts = {float(load): f"{load:,g}" for load in np.unique(loads)}
    ticks = _with_room(axes, texts, width)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter([texts[tick] for tick in ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(name, fontsize=10, color=INK, labelpad=6)


def _with_room(axes: Axes, texts: Mapping[float, str], width: float) -> list[float]:
    """The ticks whose texts do not touch, from the highest down."""
    to_inches = axes.transAxes.inverted()
    kept: list[float] = []
    edge = float("inf")
    for load in sorted(texts, reverse=True):
        place = to_inches.transform(axes.transData.transform((load, 1.0)))[0] * width
        half = text_width(texts[load], _TICK_SIZE) / 2 + 0.04
        if place + half <= edge:
            kept.append(load)
            edge = place - half
    return kept[::-1]


def scale_values(axes: Axes, values: Floats, name: str, *, may_be_log: bool) -> None:
    """The y axis: from zero, or logarithmic where values lie far apart, which its name says."""
    known = values[np.isfinite(values) & (values > 0)]
    high = float(known.max()) if known.size else 1.0
    low = float(known.min()) if known.size else 1.0
    is_log = may_be_log and high / low >= _LOG_FROM_VALUES
    if is_log:
        axes.set_yscale("log")
        axes.set_ylim(low / 1.3, high * 1.3)
        axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    else:
        axes.set_ylim(0, high * _ROOM_ABOVE)
    note = "\nlogarithmic scale" if is_log else ""
    axes.set_ylabel(f"{name}{note}", fontsize=10, color=INK)
    axes.grid(axis="y", color=GRID, linewidth=0.9)
