"""Horizontal rows, one for each stack: label left, marks right. Both baseline charts use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from python_runner.analyse.summary import FEWEST_FOR_INTERVAL
from python_runner.engines.contract import Reach
from python_runner.report.answers import STRUCK, struck_of
from python_runner.report.charts.data import looks, stack_kind, stack_name
from python_runner.report.charts.page import WIDTH, Page
from python_runner.report.charts.text import line_height, text_width, wrap
from python_runner.report.palette import GRID, INK, PAPER, QUIET
from python_runner.report.paths import CAPTIONS
from python_runner.report.units import TimeUnit, spell_ratio, spell_time

_NAME_SIZE = 11.0
_KIND_SIZE = 9.5
_VALUE_SIZE = 11.0
_WIDEST_LABEL = WIDTH * 0.29
_LABEL_GAP = 0.12
_VALUE_GAP = 0.13
_CAP = 0.055
_LOWEST_ROW = 0.74
_ROW_PADDING = 0.26
_DOT_AREA = 24.0
_DOTS_SPAN = 0.56
"""Part of a row's height over which its dots are spread."""
_MIDDLE_LANE = 0.34
"""Part of the span, in the middle of a row, that is left to the whisker."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One stack and the label that stands left of it."""

    stack: Mapping[Any, Any]
    name_lines: tuple[str, ...]
    kind: str
    values: npt.NDArray[np.float64]
    """E2E latency of each complete iteration in ms, in order, shape (n,)."""

    @property
    def caption(self) -> str:
        """What stands above the panel that it belongs to."""
        return CAPTIONS[Reach(self.stack["reach"])]

    @property
    def label_height(self) -> float:
        return len(self.name_lines) * line_height(_NAME_SIZE) + line_height(_KIND_SIZE)

    @property
    def label_width(self) -> float:
        names = (text_width(line, _NAME_SIZE, "bold") for line in self.name_lines)
        return max(*names, text_width(self.kind, _KIND_SIZE))


@dataclass(frozen=True, kw_only=True)
class Rows:
    """All rows of a chart, and the room that they need."""

    rows: tuple[Row, ...]
    left: float
    """Inches for the labels."""
    row_height: float

    @property
    def height(self) -> float:
        return self.row_height * max(1, len(self.rows))

    @property
    def parts(self) -> tuple[Rows, ...]:
        """Those of each path, for a panel each; without any row one that is empty."""
        by_path = (
            tuple(row for row in self.rows if row.stack["reach"] == reach.value) for reach in Reach
        )
        return tuple(replace(self, rows=rows) for rows in by_path if rows) or (self,)

    def centre(self, index: int) -> float:
        """Where row `index` stands: the y axis counts inches from the top."""
        return (index + 0.5) * self.row_height


def make_rows(stacks: pd.DataFrame, complete: pd.DataFrame) -> Rows:
    """Rows for `stacks` (of the summary), with the iterations of each from `complete`.

    Made for all panels of a picture at once, so that all have one size: see `Rows.parts`.
    """
    rows = tuple(
        Row(
            stack=stack,
            name_lines=tuple(
                wrap(stack_name(stack), _WIDEST_LABEL, _NAME_SIZE, "bold", most_lines=4)
            ),
            kind=stack_kind(stack),
            values=complete.loc[
                complete["condition_id"] == stack["condition_id"], "e2e_ms"
            ].to_numpy(dtype=np.float64),
        )
        for stack in stacks.to_dict(orient="records")
    )
    tallest = max((row.label_height for row in rows), default=0.0)
    return Rows(
        rows=rows,
        left=max((row.label_width for row in rows), default=0.0) + _LABEL_GAP,
        row_height=max(_LOWEST_ROW, tallest + _ROW_PADDING),
    )


def write_labels(page: Page, rows: Rows) -> None:
    """Name and version in bold, language and path below, left of the axis."""
    axes = page.axes
    axes.set_ylim(rows.height, 0)
    axes.set_yticks([])
    place = axes.get_yaxis_transform()
    left = -page.across(_LABEL_GAP)
    for index, row in enumerate(rows.rows):
        y = rows.centre(index) - row.label_height / 2
        lines = [(line, _NAME_SIZE, "bold", INK) for line in row.name_lines]
        for text, size, weight, color in [*lines, (row.kind, _KIND_SIZE, "normal", QUIET)]:
            axes.text(
                left,
                y + 0.74 * line_height(size),
                text,
                fontsize=size,
                fontweight=weight,
                color=color,
                ha="right",
                va="baseline",
                transform=place,
                parse_math=False,
            )
            y += line_height(size)


def draw_dots(axes: Axes, rows: Rows, index: int, unit: TimeUnit) -> None:
    """Every iteration a dot, from top to bottom in their order: no chance, so no jitter."""
    row = rows.rows[index]
    language, reach = looks(row.stack)
    axes.scatter(
        row.values / unit.ms,
        rows.centre(index) + _offsets(row.values.size) * rows.row_height * _DOTS_SPAN / 2,
        s=_DOT_AREA,
        marker=language.marker,
        facecolors=language.color if reach.is_filled else PAPER,
        edgecolors=PAPER if reach.is_filled else language.color,
        linewidths=0.7 if reach.is_filled else 1.3,
        zorder=3,
        label=str(row.stack["stack"]),
        clip_on=False,
    )


def _offsets(count: int) -> npt.NDArray[np.float64]:
    """Heights from -1 to 1, none of them where the whisker lies unless there is none."""
    if count < FEWEST_FOR_INTERVAL:
        return np.linspace(-0.6, 0.6, count) if count > 1 else np.zeros(count)
    upper = (count + 1) // 2
    return np.concatenate(
        [np.linspace(-1, -_MIDDLE_LANE, upper), np.linspace(_MIDDLE_LANE, 1, count - upper)]
    )


def draw_interval(axes: Axes, rows: Rows, index: int, unit: TimeUnit) -> None:
    """The 95% interval of the median as a whisker, if there is one."""
    stack = rows.rows[index].stack
    low, high = stack["e2e_low_ms"] / unit.ms, stack["e2e_high_ms"] / unit.ms
    if not np.isfinite([low, high]).all():
        return
    y = rows.centre(index)
    axes.plot([low, high], [y, y], color=INK, linewidth=1.5, zorder=4)
    axes.vlines([low, high], y - _CAP, y + _CAP, color=INK, linewidth=1.5, zorder=4)


def right_end(row: Row) -> float:
    """Where the marks of a row end, in ms."""
    high = row.stack["e2e_high_ms"]
    ends = [*row.values.tolist(), high if np.isfinite(high) else 0.0]
    return float(max(ends))


def write_values(page: Page, rows: Rows, unit: TimeUnit) -> None:
    """The median right of each row's marks, and how it compares with the fastest."""
    for index, row in enumerate(rows.rows):
        if not row.values.size:
            continue
        median, ratio = _value_texts(row, is_alone=len(rows.rows) == 1)
        y, end = rows.centre(index), right_end(row) / unit.ms
        shift = _VALUE_GAP
        for text, weight, color in ((median, "bold", INK), (ratio, "normal", QUIET)):
            page.axes.annotate(
                text,
                (end, y),
                xytext=(shift * 72, 0),
                textcoords="offset points",
                fontsize=_VALUE_SIZE,
                fontweight=weight,
                color=color,
                va="center_baseline",
                annotation_clip=False,
                parse_math=False,
                # A rim of paper, so that a grid line does not cross the digits.
                path_effects=[withStroke(linewidth=3, foreground=PAPER)],
                zorder=5,
            )
            shift += text_width(text, _VALUE_SIZE, "bold") + _VALUE_GAP * 0.7


def value_room(row: Row) -> float:
    """Inches that `write_values` needs right of a row's marks."""
    texts = _value_texts(row, is_alone=False)
    return 2.7 * _VALUE_GAP + sum(text_width(text, _VALUE_SIZE, "bold") for text in texts)


def right_limit(rows: Sequence[Row], *, start_ms: float, axes_width: float) -> float:
    """Upper end of the axis in ms, so that the values fit right of every row's marks."""
    ends = (
        start_ms + (right_end(row) - start_ms) * axes_width / (axes_width - value_room(row))
        for row in rows
        if row.values.size
    )
    return max(ends, default=start_ms + 1.0)


def finish_axis(axes: Axes, unit: TimeUnit, *, is_named: bool) -> None:
    """Grid of the latency axis and, where it is named, its name.

    The name says so if the axis does not start at zero.
    """
    is_cut = axes.get_xlim()[0] > 0
    name = f"E2E latency ({unit.name})" + (
        "; axis does not start at zero" if is_cut else ", from request to last token"
    )
    axes.set_xlabel(name if is_named else "", fontsize=10, color=INK, labelpad=6)
    axes.grid(axis="x", color=GRID, linewidth=0.9)


def _value_texts(row: Row, *, is_alone: bool) -> tuple[str, str]:
    ratio = row.stack["ratio_to_fastest"]
    compared = "fastest" if ratio == 1 else spell_ratio(ratio)
    if struck_of(row.stack):
        return STRUCK, ""
    return spell_time(row.stack["e2e_ms"]), "" if is_alone else compared
