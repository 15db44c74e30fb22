"""The switches: one for each stack of a page, found in its figures."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from python_runner.report.document import Document, Figure
from python_runner.report.html.look import swatch

_PATHS = {
    "square": "M-4.4-4.4H4.4V4.4H-4.4Z",
    "diamond": "M0-5.8 5.8 0 0 5.8-5.8 0Z",
    "triangle-up": "M0-5.4 5.6 4.4H-5.6Z",
    "triangle-down": "M0 5.4 5.6-4.4H-5.6Z",
    "triangle-left": "M-5.4 0 4.4-5.6V5.6Z",
    "triangle-right": "M5.4 0-4.4-5.6V5.6Z",
    "cross": "M-1.7-5.2H1.7V-1.7H5.2V1.7H1.7V5.2H-1.7V1.7H-5.2V-1.7H-1.7Z",
    "x": "M-5-3-3-5 0-2 3-5 5-3 2 0 5 3 3 5 0 2-3 5-5 3-2 0Z",
    "hexagon": "M0-5.4 4.7-2.7V2.7L0 5.4-4.7 2.7V-2.7Z",
    "star": "M0-5.8 1.4-1.9 5.5-1.8 2.2.7 3.4 4.7 0 2.3-3.4 4.7-2.2.7-5.5-1.8-1.4-1.9Z",
}
_CIRCLE = "M0-4.8A4.8 4.8 0 1 1 0 4.8 4.8 4.8 0 1 1 0-4.8Z"


@dataclass(frozen=True, kw_only=True)
class Switch:
    """One stack."""

    group: str
    """`legendgroup` of its traces."""
    title: str
    language: str
    path: str
    struck: str
    mark: Markup
    """Its sign in the figures, as SVG."""


def switches(document: Document) -> list[Switch]:
    """The stacks of all figures, each once, in the order in which they are met."""
    found: dict[str, Switch] = {}
    for figure in _figures(document):
        for trace in figure.plot["data"]:
            group = trace.get("legendgroup")
            if group and group not in found:
                found[group] = _switch(group, trace)
    return list(found.values())


def _figures(document: Document) -> Iterator[Figure]:
    blocks: Iterable[object] = (block for part in document.sections for block in part.blocks)
    return (block for block in blocks if isinstance(block, Figure))


def _switch(group: str, trace: Mapping[str, Any]) -> Switch:
    """From the trace's `meta`; a trace without it has a switch with its group's name."""
    meta = trace.get("meta")
    stack: Mapping[str, Any] = meta.get("stack", {}) if isinstance(meta, Mapping) else {}
    language, _, path = html.unescape(str(stack.get("kind", ""))).partition(" · ")
    return Switch(
        group=group,
        # Made safe for Plotly, which reads a little HTML; the page escapes by itself.
        title=html.unescape(str(stack.get("title", group))),
        language=language,
        path=path,
        struck=str(stack.get("struck", "")),
        mark=_mark(stack) if stack else Markup(""),
    )


def _mark(stack: Mapping[str, Any]) -> Markup:
    filled = bool(stack["is_filled"])
    return Markup(
        '<svg viewBox="-6 -6 12 12" aria-hidden="true" focusable="false">'
        '<path d="{}" style="color: {}" stroke="currentColor" stroke-width="1.6" fill="{}"/></svg>'
    ).format(
        _PATHS.get(str(stack["symbol"]), _CIRCLE),
        swatch(str(stack["color"])),
        "currentColor" if filled else "none",
    )
