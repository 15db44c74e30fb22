"""Two panels on one page: embedded stacks above, served ones below, each under its caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.figure import Figure

from python_runner.report.charts.page import MARGIN, WIDTH, Page, make_page
from python_runner.report.charts.text import line_height, wrap
from python_runner.report.facts import RunFacts
from python_runner.report.palette import INK

_CAPTION_SIZE = 10.5
_ABOVE = 0.24
"""Inches between a panel and the caption of the next."""
_BELOW = 0.1


@dataclass(frozen=True, kw_only=True)
class Framed:
    """A page with a pair of axes for each panel; each is drawn on as if it were the page."""

    figure: Figure
    pages: tuple[Page, ...]

    @property
    def last(self) -> Page:
        """The lowest panel, whose axis is named for all."""
        return self.pages[-1]


def make_panels(
    captions: Sequence[str],
    heights: Sequence[float],
    *,
    title: str,
    how_to_read: str,
    facts: RunFacts,
    left: float,
    right: float,
) -> Framed:
    """Lay out a page with panels that share the scale of the horizontal axis.

    Args:
        captions: what stands above each panel, from the top down; at least one. May be empty.
        heights: of each panel, in inches.
        title: see `make_page`, as the rest.
        how_to_read: what the marks mean.
        facts: conditions, warnings and notes.
        left: room for labels left of the axes.
        right: room for labels right of the axes.
    """
    heads = [
        (_ABOVE * (number > 0) + line_height(_CAPTION_SIZE) + _BELOW) * bool(caption)
        for number, caption in enumerate(captions)
    ]
    page = make_page(
        title=title,
        how_to_read=how_to_read,
        facts=facts,
        left=left,
        right=right,
        body=sum(heads) + sum(heights),
    )
    top, pages = 0.0, []
    for caption, head, height in zip(captions, heads, heights, strict=True):
        top += head
        if caption:
            _write_caption(page, caption, bottom=top - _BELOW)
        axes = page.inset(left=0, top=top, width=page.axes_width, height=height)
        pages.append(replace(page, axes=axes, axes_height=height))
        top += height
    for panel in pages[:-1]:
        panel.axes.sharex(pages[-1].axes)
        panel.axes.tick_params(labelbottom=False)
    page.axes.remove()
    return Framed(figure=page.figure, pages=tuple(pages))


def _write_caption(page: Page, caption: str, *, bottom: float) -> None:
    """Set a caption at the left margin, `bottom` inches below the upper end of the body."""
    (line,) = wrap(caption, WIDTH - 2 * MARGIN, _CAPTION_SIZE, "bold", most_lines=1)
    body = page.axes.get_position()
    above = bottom - 0.26 * line_height(_CAPTION_SIZE)
    page.figure.text(
        MARGIN / WIDTH,
        body.y1 - above * body.height / page.axes_height,
        line,
        fontsize=_CAPTION_SIZE,
        fontweight="bold",
        color=INK,
        va="baseline",
        parse_math=False,
    )
