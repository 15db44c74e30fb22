"""The page of a picture: title above, caption below, and room for the labels between.

All lengths are inches, measured before the figure exists; the height of the figure
follows from its text. A picture 9 inches wide is shown at about 900 pixels in a README,
so a point is 1.4 pixels there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from python_runner.report.charts.text import Weight, line_height, wrap
from python_runner.report.facts import RunFacts
from python_runner.report.palette import GRID, INK, PAPER, QUIET, WARNING

WIDTH = 9.0
MARGIN = 0.3
_GAP = 0.16
_BELOW_AXES = 0.54
"""Tick labels and the name of the axis."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of text on the page."""

    text: str
    size: float
    color: str = INK
    weight: Weight = "normal"

    def wrapped(self, width: float) -> list[Line]:
        """As many lines as `width` inches ask for."""
        texts = wrap(self.text, width, self.size, self.weight)
        return [replace(self, text=text) for text in texts]


@dataclass(frozen=True, kw_only=True)
class Page:
    """A figure with one pair of axes, and the sizes that a chart needs to place things."""

    figure: Figure
    axes: Axes
    axes_width: float
    axes_height: float

    def across(self, inches: float) -> float:
        """Inches as a fraction of the axes' width."""
        return inches / self.axes_width

    def inset(self, *, left: float, top: float, width: float, height: float) -> Axes:
        """Axes of their own within the body; inches from its upper left corner."""
        box = self.axes.get_position()
        across, up = box.width / self.axes_width, box.height / self.axes_height
        axes = self.figure.add_axes(
            (
                box.x0 + left * across,
                box.y1 - (top + height) * up,
                width * across,
                height * up,
            )
        )
        _plain(axes)
        return axes


def make_page(
    *,
    title: str,
    how_to_read: str,
    facts: RunFacts,
    left: float,
    right: float,
    body: float,
) -> Page:
    """Lay out a page.

    Args:
        title: what the picture shows.
        how_to_read: what its marks mean, and what it leaves out.
        facts: conditions, warnings and notes for the caption.
        left: room for labels left of the axes.
        right: room for labels right of the axes.
        body: height of the axes.
    """
    text_width = WIDTH - 2 * MARGIN
    head = _flow(_head(title, how_to_read, facts), text_width)
    foot = _flow(_foot(facts), text_width)
    head_height, foot_height = _height(head), _height(foot)
    height = (
        MARGIN + head_height + _GAP + body + _BELOW_AXES + 2 * _GAP + foot_height + MARGIN * 0.8
    )
    figure = Figure(figsize=(WIDTH, height), facecolor=PAPER)
    FigureCanvasAgg(figure)
    _write(figure, head, top=height - MARGIN)
    caption_top = foot_height + MARGIN * 0.8
    _write(figure, foot, top=caption_top)
    _rule(figure, (caption_top + _GAP) / height)
    axes_width = WIDTH - 2 * MARGIN - left - right
    bottom = caption_top + 2 * _GAP + _BELOW_AXES
    axes = figure.add_axes(
        ((MARGIN + left) / WIDTH, bottom / height, axes_width / WIDTH, body / height)
    )
    _plain(axes)
    return Page(figure=figure, axes=axes, axes_width=axes_width, axes_height=body)


def _head(title: str, how_to_read: str, facts: RunFacts) -> list[Line]:
    return [
        Line(text=title, size=15, weight="bold"),
        Line(text=facts.model, size=11, color=WARNING if facts.is_synthetic else INK),
        Line(text=how_to_read, size=9.5, color=QUIET),
    ]


def _foot(facts: RunFacts) -> list[Line]:
    return [
        *(Line(text=text, size=9, color=WARNING, weight="bold") for text in facts.warnings),
        Line(text=f"{facts.model} · {facts.work}", size=9, color=QUIET),
        Line(text=facts.course, size=9, color=QUIET),
        *([Line(text=facts.clock, size=9, color=QUIET)] if facts.clock else []),
        *(Line(text=text, size=9, color=INK) for text in facts.notes),
    ]


def _flow(lines: Sequence[Line], width: float) -> list[Line]:
    return [piece for line in lines for piece in line.wrapped(width)]


def _height(lines: Sequence[Line]) -> float:
    return sum(line_height(line.size) for line in lines)


def _write(figure: Figure, lines: Sequence[Line], *, top: float) -> None:
    """Set lines one below the other from `top` (inches from the bottom edge)."""
    for line in lines:
        top -= line_height(line.size)
        figure.text(
            MARGIN / WIDTH,
            # The baseline stands a little above the bottom of its line.
            (top + 0.26 * line_height(line.size)) / figure.get_figheight(),
            line.text,
            fontsize=line.size,
            color=line.color,
            fontweight=line.weight,
            va="baseline",
            parse_math=False,
        )


def _rule(figure: Figure, height: float) -> None:
    ends = (MARGIN / WIDTH, 1 - MARGIN / WIDTH)
    figure.add_artist(Line2D(ends, (height, height), color=GRID, linewidth=1.0))


def _plain(axes: Axes) -> None:
    """Only the lines that help to read a value."""
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(QUIET)
    axes.tick_params(colors=QUIET, labelsize=9.5, length=3)


def say_nothing_measured(axes: Axes, what: str = "No complete sample (see below)") -> None:
    """Instead of marks, where no stack has a complete sample; hides the empty scales."""
    axes.set_axis_off()
    axes.text(
        0.5,
        0.5,
        what,
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=11,
        fontstyle="italic",
        color=QUIET,
    )
