"""Names of the parts of a bar: inside where they fit, else below, each with a line to its part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from python_runner.report.charts.text import text_width

SIZE = 9.0
GAP = 0.08
"""Inches around a text inside its part, and between texts below."""
_OFF_AXIS = 0.03
LEAST_SHARE = 0.01
"""Of a request: smaller parts have a colour and no name."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a bar, in inches from the left end of the axis."""

    name: str
    share: str
    """As `14%`."""
    is_small: bool
    """Below `LEAST_SHARE`."""
    begin: float
    length: float

    @property
    def centre(self) -> float:
        return self.begin + self.length / 2

    def fits(self, text: str) -> bool:
        return text_width(text, SIZE) + 2 * GAP <= self.length


@dataclass(frozen=True, kw_only=True)
class Label:
    """A text and where it stands."""

    part: Part
    text: str
    centre: float
    """Inches from the left end of the axis."""
    is_inside: bool

    @property
    def nearest(self) -> float:
        """The point of the text that is nearest to its part."""
        half = text_width(self.text, SIZE) / 2
        return min(max(self.part.centre, self.centre - half), self.centre + half)


def labels_of(parts: Sequence[Part], room: float) -> list[Label]:
    """What is written to a bar.

    Name and share inside where they have room, else the share alone (the colour is the name);
    what has no room for that stands below the bar with its name. If even there is too little
    room for all, only the shares stand there.

    Args:
        parts: of one bar, from left to right.
        room: inches of the axis.
    """
    inside, outside = [], []
    for part in parts:
        text = next(
            (text for text in (f"{part.name} {part.share}", part.share) if part.fits(text)), ""
        )
        if text:
            inside.append(Label(part=part, text=text, centre=part.centre, is_inside=True))
        elif not part.is_small:
            outside.append(part)
    return inside + _below(outside, room)


def _below(parts: Sequence[Part], room: float) -> list[Label]:
    texts = [f"{part.name} {part.share}" for part in parts]
    if _length(texts) > room:
        texts = [part.share for part in parts]
    widths = [text_width(text, SIZE) for text in texts]
    lefts: list[float] = []
    end = _OFF_AXIS
    for part, width in zip(parts, widths, strict=True):
        lefts.append(max(part.centre - width / 2, end))
        end = lefts[-1] + width + GAP
    end = room
    for place in reversed(range(len(parts))):
        lefts[place] = max(_OFF_AXIS, min(lefts[place], end - widths[place]))
        end = lefts[place] - GAP
    return [
        Label(part=part, text=text, centre=left + width / 2, is_inside=False)
        for part, text, left, width in zip(parts, texts, lefts, widths, strict=True)
    ]


def _length(texts: Sequence[str]) -> float:
    return sum(text_width(text, SIZE) + GAP for text in texts)
