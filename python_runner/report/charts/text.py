"""Text that fits: measured before it is placed, so that nothing is clipped or overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

FONT = "DejaVu Sans"
"""Comes with matplotlib, so a picture looks the same on every machine."""
Weight = Literal["normal", "bold"]
_POINTS_PER_INCH = 72.0
_LINE_SPACING = 1.36
_HINTING_RESERVE = 1.015
"""Drawn at a pixel grid, text comes out a little wider than its outlines."""


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, weight: Weight = "normal") -> float:
    """Width of one line in inches at `size` points."""
    font = FontProperties(family=FONT, size=size, weight=weight)
    width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / _POINTS_PER_INCH * _HINTING_RESERVE


def line_height(size: float) -> float:
    """Inches from one line to the next at `size` points."""
    return size * _LINE_SPACING / _POINTS_PER_INCH


def wrap(
    text: str,
    width: float,
    size: float,
    weight: Weight = "normal",
    *,
    most_lines: int | None = None,
) -> list[str]:
    """Break `text` into lines of at most `width` inches.

    Breaks at spaces, and inside a word only if the word alone is too wide. What goes
    beyond `most_lines` is cut off, marked by an ellipsis.
    """
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if text_width(joined, size, weight) <= width:
            lines[-1:] = [joined]
        else:
            lines += _break_word(word, width, size, weight)
    if most_lines is not None and len(lines) > most_lines:
        kept = lines[:most_lines]
        while kept[-1] and text_width(kept[-1] + "…", size, weight) > width:
            kept[-1] = kept[-1][:-1]
        return [*kept[:-1], kept[-1].rstrip() + "…"]
    return lines


def _break_word(word: str, width: float, size: float, weight: Weight) -> list[str]:
    pieces = [""]
    for character in word:
        if pieces[-1] and text_width(pieces[-1] + character, size, weight) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces


def spread(wanted: Sequence[float], heights: Sequence[float], room: float) -> list[float]:
    """Centres for labels that should stand at `wanted` and must not overlap.

    Args:
        wanted: where each label would like its centre, any order.
        heights: height of each.
        room: all labels are kept within 0 to `room` if they fit there at all.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = list(wanted)
    edge = 0.0
    for index in order:
        placed[index] = max(placed[index], edge + heights[index] / 2)
        edge = placed[index] + heights[index] / 2
    edge = max(room, sum(heights))
    for index in reversed(order):
        placed[index] = min(placed[index], edge - heights[index] / 2)
        edge = placed[index] - heights[index] / 2
    return placed
