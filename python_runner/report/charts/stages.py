"""Where the time goes: each stack's request as a bar, cut into its stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from python_runner.analyse.stages.breakdown import Stage
from python_runner.engines.contract import Reach
from python_runner.report.charts import rows as layout
from python_runner.report.charts.data import ChartData, served_words
from python_runner.report.charts.page import (
    MARGIN,
    WIDTH,
    Page,
    make_page,
    say_nothing_measured,
)
from python_runner.report.charts.rows import Rows
from python_runner.report.charts.stage_labels import GAP, LEAST_SHARE, SIZE, Label, Part, labels_of
from python_runner.report.charts.text import line_height, text_width
from python_runner.report.palette import GRID, INK, PAPER, QUIET, REACHES, STAGES
from python_runner.report.units import spell_share, spell_time, unit_for

TITLE = "Where the time goes: a request of each stack"
SHARES_TITLE = "Where the time goes: shares of a request"
_BAR_HEIGHT = 0.62
_BELOW = 0.2
"""Inches by which a row is higher than in other pictures: for the labels below bars."""
_LEADER = 0.05
_VALUE_SIZE = 11.0
_LEGEND_SIZE = 9.5
_SWATCH = 0.13
_DARKEST_FOR_INK = 0.45
_HOW_TO_READ = (
    "From sending a request to the end of its answer, text included: means over the middle half "
    "of the complete timed requests. Rest: the engine's own loop where it is seen, and what is "
    "unattributed."
)


def draw_stages(data: ChartData) -> Figure:
    """Bars as long as the requests took."""
    longest = float(data.stages["request_ms"].max()) if len(data.stages) else 0.0
    unit = unit_for(longest)
    return _draw(data, TITLE, f"Time ({unit.name})", is_share=False, per_ms=1 / unit.ms)


def draw_stage_shares(data: ChartData) -> Figure:
    """All bars of one length."""
    return _draw(data, SHARES_TITLE, "Share of a request (%)", is_share=True, per_ms=1.0)


def _draw(data: ChartData, title: str, axis: str, *, is_share: bool, per_ms: float) -> Figure:
    stages = data.stages
    rows = layout.make_rows(stages, data.complete)
    rows = replace(rows, row_height=rows.row_height + _BELOW)
    lines = list(_legend_lines(WIDTH - 2 * MARGIN))
    legend_height = len(lines) * line_height(_LEGEND_SIZE) * 1.25 + 0.1
    page = make_page(
        title=title,
        how_to_read=f"{_HOW_TO_READ}{served_words(stages, 'Hatched')} {_not_visible(stages)}",
        facts=data.facts,
        left=rows.left,
        right=_value_room(stages),
        body=rows.height + legend_height,
    )
    layout.write_labels(page, rows)
    page.axes.set_ylim(rows.height, -legend_height)
    if not len(stages):
        say_nothing_measured(page.axes)
        return page.figure
    ends = [
        _draw_bar(page, rows, index, stack, is_share=is_share, per_ms=per_ms)
        for index, stack in enumerate(stages.to_dict(orient="records"))
    ]
    page.axes.set_xlim(0, max(ends))
    for index, stack in enumerate(stages.to_dict(orient="records")):
        _label_bar(page, rows, index, stack, is_share=is_share, per_ms=per_ms)
        _write_total(page, rows, index, stack, ends[index])
    _draw_legend(page, lines, rows.left, legend_height)
    page.axes.set_xlabel(axis, fontsize=10, color=INK, labelpad=6)
    page.axes.grid(axis="x", color=GRID, linewidth=0.9)
    return page.figure


def _parts(
    stack: Mapping[Any, Any], *, is_share: bool, per_ms: float
) -> Iterator[tuple[Stage, float, float]]:
    """Stage, where its part of the bar begins, and how long that is, in units of the axis."""
    visible = {stage: stack[stage.value] for stage in Stage if stage.value not in stack["within"]}
    factor = 100 / stack["request_ms"] if is_share else per_ms
    begin = 0.0
    for stage, ms in visible.items():
        yield stage, begin, ms * factor
        begin += ms * factor


def _draw_bar(
    page: Page, rows: Rows, index: int, stack: Mapping[Any, Any], *, is_share: bool, per_ms: float
) -> float:
    """Returns where the bar ends."""
    end = 0.0
    for stage, begin, length in _parts(stack, is_share=is_share, per_ms=per_ms):
        page.axes.barh(
            rows.centre(index),
            length,
            left=begin,
            height=_bar_height(rows),
            facecolor=STAGES[stage],
            edgecolor=PAPER,
            hatch=REACHES[Reach(stack["reach"])].hatch,
            linewidth=0.6,
            label=f"{stack['stack']} {stage.value}",
            zorder=2,
        )
        end = begin + length
    return end


def _label_bar(
    page: Page, rows: Rows, index: int, stack: Mapping[Any, Any], *, is_share: bool, per_ms: float
) -> None:
    """Name its parts."""
    inches = page.axes_width / page.axes.get_xlim()[1]
    parts = []
    for stage, begin, length in _parts(stack, is_share=is_share, per_ms=per_ms):
        share = stack[stage.value] / stack["request_ms"]
        parts.append(
            Part(
                name=stage.value,
                share=spell_share(share),
                is_small=share < LEAST_SHARE,
                begin=begin * inches,
                length=length * inches,
            )
        )
    for label in labels_of(parts, page.axes_width):
        if label.is_inside:
            _write_inside(page, rows.centre(index), label, inches)
        else:
            _write_below(page, rows.centre(index) + _bar_height(rows) / 2, label, inches)


def _write_inside(page: Page, y: float, label: Label, inches: float) -> None:
    color = STAGES[Stage(label.part.name)]
    page.axes.text(
        label.centre / inches,
        y,
        label.text,
        fontsize=SIZE,
        color=_ink_on(color),
        ha="center",
        va="center_baseline",
        parse_math=False,
        bbox={"facecolor": color, "edgecolor": "none", "pad": 1.2},
        zorder=4,
    )


def _write_below(page: Page, y: float, label: Label, inches: float) -> None:
    """The text under the bar, and a thin line from its part."""
    page.axes.plot(
        [label.part.centre / inches, label.nearest / inches],
        [y, y + _LEADER],
        color=QUIET,
        linewidth=0.8,
        clip_on=False,
        zorder=3,
    )
    page.axes.text(
        label.centre / inches,
        y + _LEADER + line_height(SIZE) / 2,
        label.text,
        fontsize=SIZE,
        color=INK,
        ha="center",
        va="center_baseline",
        parse_math=False,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.6},
        zorder=4,
    )


def _bar_height(rows: Rows) -> float:
    return (rows.row_height - _BELOW) * _BAR_HEIGHT


def _write_total(page: Page, rows: Rows, index: int, stack: Mapping[Any, Any], end: float) -> None:
    page.axes.annotate(
        spell_time(stack["request_ms"]),
        (end, rows.centre(index)),
        xytext=(GAP * 72, 0),
        textcoords="offset points",
        fontsize=_VALUE_SIZE,
        fontweight="bold",
        color=INK,
        va="center_baseline",
        annotation_clip=False,
        parse_math=False,
        zorder=5,
    )


def _value_room(stages: pd.DataFrame) -> float:
    texts = (spell_time(ms) for ms in stages["request_ms"])
    return max((text_width(text, _VALUE_SIZE, "bold") for text in texts), default=0.0) + 2 * GAP


def _legend_lines(width: float) -> Iterator[list[tuple[Stage, float]]]:
    """The entries of each line of the legend, and where each begins, in inches."""
    line: list[tuple[Stage, float]] = []
    left = 0.0
    for stage in Stage:
        needed = _SWATCH + GAP + text_width(stage.value, _LEGEND_SIZE) + 2.2 * GAP
        if line and left + needed > width:
            yield line
            line, left = [], 0.0
        line.append((stage, left))
        left += needed
    yield line


def _draw_legend(
    page: Page, lines: list[list[tuple[Stage, float]]], labels: float, height: float
) -> None:
    """Above the bars, from the left edge of the page on."""
    axes: Axes = page.axes
    place = axes.get_yaxis_transform()
    axes.spines["left"].set_bounds(axes.get_ylim()[0], 0)
    # No grid behind the legend.
    axes.add_patch(
        Rectangle((0, -height), 1.01, height, facecolor=PAPER, transform=place, zorder=1)
    )
    for number, line in enumerate(lines):
        y = -height + (number + 0.5) * line_height(_LEGEND_SIZE) * 1.25
        for stage, left in line:
            x = page.across(left - labels)
            swatch = Rectangle(
                (x, y - _SWATCH / 2),
                page.across(_SWATCH),
                _SWATCH,
                facecolor=STAGES[stage],
                transform=place,
                clip_on=False,
            )
            axes.add_patch(swatch)
            axes.text(
                x + page.across(_SWATCH + GAP),
                y,
                stage.value,
                fontsize=_LEGEND_SIZE,
                color=INK,
                va="center_baseline",
                transform=place,
            )


def _not_visible(stages: pd.DataFrame) -> str:
    """What no bar shows, as a sentence for each stack."""
    said = []
    for stack in stages.to_dict(orient="records"):
        hidden = ", ".join(f"{stage} (in {place})" for stage, place in stack["within"].items())
        if hidden:
            said.append(f"Not visible of {stack['title']}: {hidden}.")
    return " ".join(said)


def _ink_on(color: str) -> str:
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return INK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _DARKEST_FOR_INK else PAPER
