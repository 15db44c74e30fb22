"""How a frame is drawn: the kinds of pictures of `plot`, and the page that they stand on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from python_runner.analyse.columns import COLUMNS
from python_runner.report.charts.page import WIDTH, Page, make_page
from python_runner.report.charts.text import line_height, text_width, wrap
from python_runner.report.facts import RunFacts
from python_runner.report.palette import GRID, INK, PAPER, LanguageLook, ReachLook, tint

_NAME_SIZE = 10.0
_WIDEST_NAME = WIDTH * 0.2
_TICK_ROOM = 0.95
_KEY_ROOM = 0.5
_BODY = 3.8
_ROW = 0.62
_HEAVY = 400
"""More marks than that are drawn smaller."""
_MARKS_OF_A_CURVE = 12
_FAR = 20
"""The end of a logarithmic scale over its begin, from which on fewer numbers stand at it."""
_WIDE, _NARROW = (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)
_TURN = 0.618034
"""The golden ratio: marks that are spread by it never lie on each other in turns."""
_SHARE = "Share of values at most that large"

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The rows of one stack, and how it is drawn."""

    name: str
    rows: pd.DataFrame
    language: LanguageLook
    reach: ReachLook

    def values(self, column: str) -> Values:
        return self.rows[column].to_numpy(dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One way of drawing a column `y`, over a column `x` or without one (then it is empty)."""

    draw: Callable[[Axes, Sequence[Group], str, str], None]
    words: str
    """How it is read."""
    has_x: bool


def make_picture_page(
    groups: Sequence[Group], kind: str, title: str, how: str, facts: RunFacts
) -> Page:
    """A page with room for the stacks' names: a legend, or, for a strip, at the rows."""
    names = [_lines(group.name) for group in groups]
    width = max(text_width(line, _NAME_SIZE, "bold") for name in names for line in name)
    is_strip = kind == "strip"
    page = make_page(
        title=title,
        how_to_read=how,
        facts=facts,
        left=width + 0.35 if is_strip else _TICK_ROOM,
        right=0.0 if is_strip else width + _KEY_ROOM,
        body=_ROW * len(groups) + 0.1 if is_strip else _BODY,
    )
    if not is_strip:
        _legend(page, groups, names)
    page.axes.grid(axis="x" if is_strip else "both", color=GRID, linewidth=0.9)
    return page


def name_axes(axes: Axes, *, x: str, y: str, log: bool, counts: bool) -> None:
    """Names with units and plain numbers; says so where a scale of values leaves zero out.

    Args:
        axes: with everything drawn.
        x: the column across; empty: what is drawn are values of `y`, across.
        y: the column of values.
        log: whether their scale is logarithmic.
        counts: whether `x` holds whole numbers.
    """
    across = not x
    values = axes.xaxis if across else axes.yaxis
    if log:
        (axes.set_xscale if across else axes.set_yscale)("log")
        low, high = axes.get_xlim() if across else axes.get_ylim()
        values.set_major_locator(LogLocator(subs=_WIDE if high > _FAR * low else _NARROW))
        values.set_minor_formatter(NullFormatter())
    if counts:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, min_n_ticks=1))
    for axis in (axes.xaxis, axes.yaxis) if x else (axes.xaxis,):
        axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    low, _ = axes.get_xlim() if across else axes.get_ylim()
    note = "logarithmic" if log else "axis does not start at zero" if low > 0 else ""
    between = " · " if across else "\n"
    named = f"{_axis(y)}{between}{note}" if note else _axis(y)
    axes.set_xlabel(named if across else _axis(x), fontsize=10, color=INK, labelpad=6)
    if x:
        axes.set_ylabel(named, fontsize=10, color=INK)


def _lines(name: str) -> list[str]:
    return wrap(name, _WIDEST_NAME, _NAME_SIZE, "bold", most_lines=3)


def _legend(page: Page, groups: Sequence[Group], names: Sequence[Sequence[str]]) -> None:
    """Beside the axes, from the top, in the order of the stacks."""
    top = 0.1
    for group, name in zip(groups, names, strict=True):
        height = line_height(_NAME_SIZE) * len(name)
        page.axes.plot(
            [1 + page.across(0.22)],
            [1 - (top + 0.45 * line_height(_NAME_SIZE)) / page.axes_height],
            transform=page.axes.transAxes,
            clip_on=False,
            linestyle="none",
            **_mark(group, 7.0),
        )
        page.axes.text(
            1 + page.across(0.38),
            1 - top / page.axes_height,
            "\n".join(name),
            transform=page.axes.transAxes,
            fontsize=_NAME_SIZE,
            color=INK,
            va="top",
            parse_math=False,
        )
        top += height + 0.1


def _mark(group: Group, size: float) -> dict[str, Any]:
    color, is_filled = group.language.color, group.reach.is_filled
    return {
        "marker": group.language.marker,
        "markersize": size,
        "markerfacecolor": color if is_filled else "none",
        "markeredgecolor": PAPER if is_filled else color,
        "markeredgewidth": 0.6 if is_filled else 1.3,
    }


def _size(groups: Sequence[Group]) -> float:
    return 6.5 if sum(len(group.rows) for group in groups) <= _HEAVY else 3.5


def _points(axes: Axes, groups: Sequence[Group], y: str, x: str) -> None:
    for group in groups:
        marks = _mark(group, _size(groups))
        axes.plot(group.values(x), group.values(y), linestyle="none", zorder=3, **marks)


def _medians(axes: Axes, groups: Sequence[Group], y: str, x: str) -> None:
    for group in groups:
        rows = pd.DataFrame({"x": group.values(x), "y": group.values(y)}).groupby("x")["y"]
        low, middle, high = (rows.quantile(share) for share in (0.25, 0.5, 0.75))
        color, marks = group.language.color, _mark(group, 4.5)
        axes.fill_between(
            middle.index, low, high, color=tint(color, 0.5), alpha=0.35, linewidth=0, zorder=1
        )
        axes.plot(middle.index, middle, color=color, linewidth=1.4, zorder=3, **marks)


def _ecdf(axes: Axes, groups: Sequence[Group], y: str, _x: str) -> None:
    for group in groups:
        values = np.sort(group.values(y))
        shares = np.arange(1, values.size + 1) / values.size
        every = max(1, values.size // _MARKS_OF_A_CURVE)
        axes.plot(
            values,
            shares,
            drawstyle="steps-post",
            color=group.language.color,
            linestyle="solid" if group.reach.is_filled else (0, (5, 2)),
            linewidth=1.6,
            markevery=every,
            **_mark(group, 4.5),
        )
    axes.set_ylim(0, 1.03)
    axes.set_ylabel(_SHARE, fontsize=10, color=INK)


def _strip(axes: Axes, groups: Sequence[Group], y: str, _x: str) -> None:
    for place, group in enumerate(groups):
        values = group.values(y)
        # Spread evenly and in turns, so that the same data give the same picture.
        spread = ((np.arange(values.size) * _TURN) % 1 - 0.5) * 0.5
        marks = _mark(group, _size(groups))
        axes.plot(values, place + spread, linestyle="none", zorder=3, **marks)
        ends = (place - 0.4, place + 0.4)
        axes.vlines(float(np.median(values)), *ends, color=INK, linewidth=2, zorder=2)
    axes.set_ylim(len(groups) - 0.45, -0.55)
    axes.set_yticks(range(len(groups)), ["\n".join(_lines(group.name)) for group in groups])
    axes.tick_params(axis="y", length=0, labelsize=_NAME_SIZE, labelcolor=INK)


def label(name: str, *, within: bool = False) -> str:
    """How a column is called, in words where it has some; `within` a sentence if asked for."""
    known = next((notes[name] for notes in COLUMNS.values() if name in notes), None)
    found = (known and known.label) or name
    is_word = found[1:2].islower()
    return found[0].lower() + found[1:] if within and is_word else found


def _axis(name: str) -> str:
    """The name of a column and its unit."""
    known = next((notes[name] for notes in COLUMNS.values() if name in notes), None)
    unit = known.unit if known else "ms" if name.endswith("_ms") else ""
    return f"{label(name)} ({unit})" if unit else label(name)


KINDS: dict[str, Kind] = {
    "points": Kind(draw=_points, words="Each mark is one row.", has_x=True),
    "median": Kind(
        draw=_medians,
        words="Line: median of the rows at the same place; band: their middle half (p25 to p75).",
        has_x=True,
    ),
    "strip": Kind(draw=_strip, words="Each mark is one row; upright line: median.", has_x=False),
    "ecdf": Kind(
        draw=_ecdf,
        words="Share of the rows whose value is at most that large; further left is smaller.",
        has_x=False,
    ),
}
"""The table of kinds; the first one of its sort is taken if none is named."""
