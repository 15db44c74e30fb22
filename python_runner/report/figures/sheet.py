"""The sheet of a figure: panels one below the other, measured in pixels, as plain Plotly data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from python_runner.report.palette import GRID, INK, PAPER, QUIET

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_CAPTION = 36
_TICKS = 26
_AXIS_TITLE = 28
_MARGIN = 8
_RIGHT = 14
_NAMES_FROM = 51

Trace = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of axes.

    Attributes:
        caption: what stands above it, in Plotly's HTML; may be empty.
        height: of its axes, in pixels.
        x, y: settings of its axes, besides those that all have.
        holds_names: whether there are names at its left edge, see `names_axis`.
    """

    caption: str
    height: int
    x: Mapping[str, Any] = field(default_factory=dict)
    y: Mapping[str, Any] = field(default_factory=dict)
    holds_names: bool = False

    @property
    def head(self) -> int:
        return _CAPTION if self.caption else _MARGIN

    @property
    def foot(self) -> int:
        """Room below the axes for ticks and for the axis' name."""
        ticks = _TICKS if self.x.get("showticklabels", True) else _MARGIN
        return ticks + (_AXIS_TITLE if self.x.get("title") else 0)


def axes(panel: int) -> dict[str, str]:
    """The names by which a trace is put into panel `panel`, counted from 0."""
    number = str(panel + 1) if panel else ""
    return {"xaxis": f"x{number}", "yaxis": f"y{number}"}


def names_axis(panel: int) -> str:
    """An x axis over that of panel `panel`, from 0 to 1, which nobody sees or zooms."""
    return f"x{_NAMES_FROM + panel}"


def sheet(
    panels: Sequence[Panel], traces: Sequence[Trace], *, legend: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Lay out a figure.

    Args:
        panels: from the top down, at least one.
        traces: each names its panel by `axes`.
        legend: settings of Plotly's legend, which then stands above the panels; None: none.

    Returns:
        `data` and `layout`. `layout.meta.body` is the height in pixels that all panels together
        are meant to have, so that a page can make room for a legend of many lines.
    """
    body = sum(panel.head + panel.height + panel.foot for panel in panels) - panels[-1].foot
    layout: dict[str, Any] = {
        **_style(),
        "height": body + panels[-1].foot + 2 * _MARGIN,
        "margin": {"l": 4, "r": _RIGHT, "t": _MARGIN, "b": panels[-1].foot, "pad": 0},
        "meta": {"body": body},
        "showlegend": legend is not None,
        "annotations": [],
    }
    if legend is not None:
        layout["legend"] = {**_legend(), **legend}
    top = 0
    for index, panel in enumerate(panels):
        top += panel.head
        names = axes(index)
        ends = [max(0.0, 1 - (top + panel.height) / body), 1 - top / body]
        layout[names["xaxis"].replace("x", "xaxis")] = {
            **_axis(),
            "anchor": names["yaxis"],
            **panel.x,
        }
        layout[names["yaxis"].replace("y", "yaxis")] = {
            **_axis(),
            "domain": ends,
            "anchor": names["xaxis"],
            **panel.y,
        }
        if panel.holds_names:
            layout[names_axis(index).replace("x", "xaxis")] = {
                "overlaying": names["xaxis"],
                "anchor": names["yaxis"],
                "range": [0, 1],
                "fixedrange": True,
                "visible": False,
            }
        if panel.caption:
            layout["annotations"].append(_caption(panel.caption, ends[1]))
        top += panel.height + panel.foot
    return {"data": list(traces), "layout": layout}


def title(text: str) -> dict[str, Any]:
    """An axis' name."""
    return {"text": text, "font": {"size": 13, "color": INK}, "standoff": 8}


def _caption(text: str, height: float) -> dict[str, Any]:
    return {
        "text": text,
        "x": 0,
        "y": height,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": 4,
        "borderpad": 0,
        "align": "left",
        "showarrow": False,
        "font": {"size": 13, "color": INK},
    }


def _style() -> dict[str, Any]:
    return {
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "hovermode": "closest",
        "hoverdistance": 24,
        "dragmode": "zoom",
        "bargap": 0,
        "hoverlabel": {
            "bgcolor": PAPER,
            "bordercolor": QUIET,
            "align": "left",
            "font": {"family": FONT, "size": 13, "color": INK},
        },
    }


def _axis() -> dict[str, Any]:
    return {
        "automargin": True,
        "color": QUIET,
        "gridcolor": GRID,
        "linecolor": QUIET,
        "showline": True,
        "tickcolor": QUIET,
        "tickfont": {"size": 12, "color": QUIET},
        "ticks": "outside",
        "ticklen": 4,
        "separatethousands": True,
        "zeroline": False,
    }


def _legend() -> dict[str, Any]:
    return {
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "y": 1.0,
        "yanchor": "bottom",
        "font": {"size": 12.5, "color": INK},
        "bgcolor": PAPER,
        "tracegroupgap": 2,
    }
