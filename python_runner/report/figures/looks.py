"""How stacks look in Plotly: the palette's markers and hatches under the names used there."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from python_runner.report.answers import STRUCK, struck_of
from python_runner.report.charts.data import looks, stack_kind, stack_name
from python_runner.report.facts import shorten
from python_runner.report.palette import PAPER, QUIET

_SYMBOLS = {
    "o": "circle",
    "s": "square",
    "D": "diamond",
    "^": "triangle-up",
    "X": "x",
    "P": "cross",
    "v": "triangle-down",
    "*": "star",
    "h": "hexagon",
    "<": "triangle-left",
    ">": "triangle-right",
}
_PATTERNS = {"": "", "////": "/", "..": ".", "xx": "x", "--": "-", "oo": "\\", "||": "|", "++": "+"}
_SERVED = "////"
_DASHES = ("solid", "dash", "dot", "dashdot")
_LONGEST_NAME = 40
_LONGEST_LABEL = 42
_SHORTEST_NAME = 12
_DIGITS = 7
_LEGEND_GAP = "\N{NO-BREAK SPACE}" * 3


@dataclass(frozen=True, kw_only=True)
class Look:
    """One stack, ready to be drawn. Texts are safe for Plotly, which reads a little HTML."""

    group: str
    """`legendgroup` of all its traces."""
    title: str
    name: str
    """Engine and version, cut where it is very long."""
    kind: str
    """Language and path."""
    color: str
    symbol: str
    pattern: str
    is_filled: bool
    dash: str
    struck: str
    """Why its speed does not count; empty: it does."""

    @property
    def marker(self) -> str:
        """The symbol; a ring where the stack is served."""
        return self.symbol if self.is_filled else f"{self.symbol}-open"

    @property
    def label(self) -> str:
        """Name and kind on one line that a narrow screen can show."""
        room = max(_SHORTEST_NAME, _LONGEST_LABEL - len(self.kind))
        name = plain(shorten(html.unescape(self.name), room))
        return f"<b>{name}</b>  {self.kind}"

    @property
    def legend(self) -> str:
        """What a legend calls it."""
        words = f"{self.name} · {self.kind}"
        return f"{words} · {STRUCK}" if self.struck else words

    def shared(self) -> dict[str, Any]:
        """What each of its traces has; `meta` tells a page how to draw its switch."""
        stack = {
            "title": self.title,
            "kind": self.kind,
            "color": self.color,
            "symbol": self.symbol,
            "is_filled": self.is_filled,
            "struck": self.struck,
        }
        return {
            "legendgroup": self.group,
            # Plotly leaves little room between the entries of a legend.
            "name": self.legend + _LEGEND_GAP,
            "showlegend": False,
            "meta": {"stack": stack},
        }

    def dots(self, size: float, *, opacity: float = 1.0) -> dict[str, Any]:
        """Plotly's `marker`: solid, or hollow so that a mark behind it is still seen."""
        line = {
            "width": 0.7 if self.is_filled else 1.5,
            "color": PAPER if self.is_filled else self.color,
        }
        return {
            "symbol": self.marker,
            "size": size,
            "color": self.color,
            "opacity": opacity,
            "line": line,
        }


def looks_of(stacks: pd.DataFrame) -> dict[int, Look]:
    """Each row's look, by `condition_id`; stacks of one language and path differ in their dash."""
    seen: dict[str, int] = {}
    found = {}
    for stack in stacks.to_dict(orient="records"):
        kind = stack_kind(stack)
        found[int(stack["condition_id"])] = _look(stack, seen.get(kind, 0))
        seen[kind] = seen.get(kind, 0) + 1
    return found


def _look(stack: Mapping[Any, Any], number: int) -> Look:
    language, reach = looks(stack)
    struck = struck_of(stack)
    return Look(
        group=str(stack["stack"]),
        title=plain(stack["title"]),
        name=plain(shorten(stack_name(stack), _LONGEST_NAME)),
        kind=plain(stack_kind(stack)),
        color=QUIET if struck else language.color,
        symbol=_SYMBOLS[language.marker],
        pattern=_pattern(reach.hatch),
        is_filled=reach.is_filled,
        dash=_DASHES[number % len(_DASHES)],
        struck=plain(struck),
    )


def _pattern(hatch: str) -> str:
    """Plotly draws one pattern at a time: a variant's goes before that of its path."""
    return _PATTERNS[hatch.removeprefix(_SERVED) or hatch]


def plain(text: object) -> str:
    """`text` so that Plotly shows it as it is, tags and entities included."""
    return html.escape(str(text), quote=False)


def number(value: float) -> float | None:
    """`value` for JSON, with as many digits as can be seen; None for NaN and infinity."""
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
