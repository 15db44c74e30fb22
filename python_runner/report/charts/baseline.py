"""Baseline: the median E2E latency of every stack as a bar, every iteration a dot."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from python_runner.analyse.fast import FAST_FACTOR
from python_runner.analyse.summary import FEWEST_FOR_INTERVAL
from python_runner.report.answers import struck_of
from python_runner.report.charts import rows as layout
from python_runner.report.charts.data import (
    ChartData,
    left_out_words,
    looks,
    served_words,
    struck_words,
)
from python_runner.report.charts.page import Page, say_nothing_measured
from python_runner.report.charts.panels import Framed, make_panels
from python_runner.report.charts.rows import Rows
from python_runner.report.facts import RunFacts
from python_runner.report.palette import PAPER, QUIET, tint
from python_runner.report.units import TIMES, TimeUnit, unit_for

TITLE = "Baseline: end-to-end latency of each stack"
ZOOMED_TITLE = "Baseline, zoomed on the fast stacks"
_MARKS = (
    "Dots: single iterations, the first on top. Whisker: 95% bootstrap interval of the median, "
    f"given {FEWEST_FOR_INTERVAL} dots or more. Ratios are to the fastest of the same panel."
)
_BAR_HEIGHT = 0.7
_STRUCK_HATCH = "xx"


def draw_baseline(data: ChartData) -> Figure:
    """All stacks, from zero. A stack without a result keeps its row."""
    rows = layout.make_rows(data.summary, data.complete)
    striped = served_words(data.summary, "Unfilled dots, striped bar")
    struck = struck_words(data.summary, "Crossed, without colour")
    return _bars(data, rows, TITLE, f"Bar: median. {_MARKS}{striped}{struck}")


def draw_baseline_zoomed(data: ChartData) -> Figure:
    """The fast stacks only (`fast_stacks` says which).

    Where slower stacks are left out, bars from zero again. Where all stacks are close,
    only a part of the axis shows a difference: then dots and no bars, because the length
    of a bar that does not start at zero means nothing.
    """
    fast = data.fast
    rows = layout.make_rows(fast.shown, data.complete)
    if not len(fast.left_out):
        return _dots(data, rows)
    striped = served_words(fast.shown, "Unfilled dots, striped bar")
    return _bars(
        data,
        rows,
        ZOOMED_TITLE,
        f"Stacks within {FAST_FACTOR:g}{TIMES} of the fastest. {left_out_words(fast)}"
        f"Bar: median. {_MARKS}{striped}",
    )


def _bars(data: ChartData, rows: Rows, title: str, how_to_read: str) -> Figure:
    framed = _framed(rows, title=title, how_to_read=how_to_read, facts=data.facts)
    limit = layout.right_limit(rows.rows, start_ms=0.0, axes_width=framed.last.axes_width)
    unit = unit_for(max((layout.right_end(row) for row in rows.rows), default=0.0))
    framed.last.axes.set_xlim(0, limit / unit.ms)
    for page, part in _parts(framed, rows):
        for index, row in enumerate(part.rows):
            if row.values.size:
                _draw_bar(page, part, index, unit)
            else:
                _say_no_result(page, part.centre(index))
    return _finish(framed, rows, unit)


def _draw_bar(page: Page, rows: Rows, index: int, unit: TimeUnit) -> None:
    row = rows.rows[index]
    language, reach = looks(row.stack)
    is_struck = bool(struck_of(row.stack))
    page.axes.barh(
        rows.centre(index),
        row.stack["e2e_ms"] / unit.ms,
        height=rows.row_height * _BAR_HEIGHT,
        facecolor=PAPER if is_struck else tint(language.color, 0.34),
        edgecolor=QUIET if is_struck else language.color,
        hatch=_STRUCK_HATCH if is_struck else reach.hatch,
        linewidth=1.2,
        zorder=2,
    )
    if is_struck:
        return
    layout.draw_dots(page.axes, rows, index, unit)
    layout.draw_interval(page.axes, rows, index, unit)


def _dots(data: ChartData, rows: Rows) -> Figure:
    how_to_read = (
        f"All stacks with a result are within {FAST_FACTOR:g}{TIMES} of the fastest, so this "
        "shows a part of the axis, and no bars, since lengths would mislead. "
        f"Upright line: median. {_MARKS}{served_words(data.summary, 'Unfilled dots')}"
    )
    framed = _framed(
        rows,
        title=ZOOMED_TITLE,
        how_to_read=how_to_read if rows.rows else "",
        facts=data.facts,
    )
    values = [value for row in rows.rows for value in (*row.values, layout.right_end(row))]
    unit = unit_for(max(values, default=0.0))
    start = _start(values)
    limit = layout.right_limit(rows.rows, start_ms=start, axes_width=framed.last.axes_width)
    framed.last.axes.set_xlim(start / unit.ms, limit / unit.ms)
    for page, part in _parts(framed, rows):
        for index, row in enumerate(part.rows):
            language, _ = looks(row.stack)
            y, half = part.centre(index), part.row_height * _BAR_HEIGHT / 2
            median = row.stack["e2e_ms"] / unit.ms
            page.axes.vlines(median, y - half, y + half, color=PAPER, linewidth=5, zorder=2)
            page.axes.vlines(
                median, y - half, y + half, color=language.color, linewidth=3, zorder=2
            )
            layout.draw_dots(page.axes, part, index, unit)
            layout.draw_interval(page.axes, part, index, unit)
    return _finish(framed, rows, unit)


def _start(values: list[float]) -> float:
    """Where the zoomed axis starts, in ms: a little left of the smallest value."""
    if not values:
        return 0.0
    low, high = min(values), max(values)
    return max(0.0, low - max(0.12 * (high - low), 0.004 * high))


def _framed(rows: Rows, *, title: str, how_to_read: str, facts: RunFacts) -> Framed:
    """A page with a panel for each path; without any row, one panel for what there is to say."""
    parts = rows.parts
    return make_panels(
        [part.rows[0].caption if part.rows else "" for part in parts],
        [part.height for part in parts],
        title=title,
        how_to_read=how_to_read,
        facts=facts,
        left=rows.left,
        right=0.0,
    )


def _parts(framed: Framed, rows: Rows) -> Iterator[tuple[Page, Rows]]:
    return zip(framed.pages, rows.parts, strict=True)


def _finish(framed: Framed, rows: Rows, unit: TimeUnit) -> Figure:
    for page, part in _parts(framed, rows):
        layout.write_labels(page, part)
        layout.write_values(page, part, unit)
        layout.finish_axis(page.axes, unit, is_named=page is framed.last)
    if not rows.rows:
        say_nothing_measured(framed.last.axes)
    elif not any(row.values.size for row in rows.rows):
        framed.last.axes.set_xticks([])
    return framed.figure


def _say_no_result(page: Page, y: float) -> None:
    page.axes.text(
        page.across(0.12),
        y,
        "no complete sample (see below)",
        transform=page.axes.get_yaxis_transform(),
        fontsize=10.5,
        fontstyle="italic",
        color=QUIET,
        va="center_baseline",
    )
