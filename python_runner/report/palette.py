"""One look for each language, everywhere.

Any two of the four colours differ by at least 25 in CIELAB, also when seen with
protanopia, deuteranopia or tritanopia (the tests simulate them; about 2 is the smallest
difference one can see). In grey print, shapes tell the languages apart, and filling tells
embedded from served. A variant has its language's colour, and a shape and a pattern of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from python_runner.analyse.stages.breakdown import Stage
from python_runner.engines.contract import Language, Reach

INK = "#1B1F24"
"""Text and axes."""
QUIET = "#57606A"
"""Text of second rank; 6:1 against white."""
GRID = "#E3E6EA"
WARNING = "#9A3412"
"""What a reader must not miss."""
PAPER = "#FFFFFF"


@dataclass(frozen=True, kw_only=True)
class LanguageLook:
    """How a language is drawn."""

    color: str
    marker: str
    """A matplotlib marker."""
    terminal: str
    """A rich colour of middling lightness: reads on dark and on light terminals."""


@dataclass(frozen=True, kw_only=True)
class ReachLook:
    """How a way of reaching an engine is drawn."""

    hatch: str
    """A matplotlib hatch; empty: none."""
    is_filled: bool
    """Whether markers are solid or rings."""


LANGUAGES: dict[Language, LanguageLook] = {
    Language.CPP: LanguageLook(color="#0B4F94", marker="o", terminal="steel_blue3"),
    Language.GO: LanguageLook(color="#2A9DAF", marker="s", terminal="light_sea_green"),
    Language.RUST: LanguageLook(color="#B5401A", marker="D", terminal="dark_orange3"),
    Language.PYTHON: LanguageLook(color="#D99A00", marker="^", terminal="dark_goldenrod"),
    Language.NONE: LanguageLook(color="#6E6E6E", marker="X", terminal="grey50"),
}

STAGES: dict[Stage, str] = {
    Stage.QUEUE: "#59B5E9",
    Stage.TOKENISE: "#F5DB24",
    Stage.PREFILL: "#004C7F",
    Stage.DECODE: "#76A779",
    Stage.SAMPLE: "#D98E00",
    Stage.COLLECT: "#B2182B",
    Stage.REST: "#C4C4C4",
}
"""Parts of a bar. Any two differ by at least 20 in CIELAB for every reader, as above."""

REACHES: dict[Reach, ReachLook] = {
    Reach.EMBEDDED: ReachLook(hatch="", is_filled=True),
    Reach.SERVED: ReachLook(hatch="////", is_filled=False),
}


@dataclass(frozen=True, kw_only=True)
class VariantLook:
    """What tells a variant from the plain stacks of its language."""

    marker: str
    """A matplotlib marker."""
    hatch: str
    """A matplotlib hatch, on top of its path's."""


VARIANTS: tuple[VariantLook, ...] = (
    VariantLook(marker="P", hatch=".."),
    VariantLook(marker="v", hatch="xx"),
    VariantLook(marker="*", hatch="--"),
    VariantLook(marker="h", hatch="oo"),
    VariantLook(marker="<", hatch="||"),
    VariantLook(marker=">", hatch="++"),
)
"""The first variant of a language, the second, and so on; then from the beginning."""


TINTS = (0.18, 0.34, 0.5)
"""Strengths of `tint` that have a twin on dark ground."""

_ON_DARK: dict[str, str] = {
    INK: "#E8EBEE",
    QUIET: "#A7B0BA",
    GRID: "#2B323A",
    WARNING: "#F2A679",
    PAPER: "#14181D",
    "#0B4F94": "#4A8FE0",
    "#2A9DAF": "#54D9C9",
    "#B5401A": "#E2603A",
    "#D99A00": "#F3C64B",
    "#6E6E6E": "#9AA3AD",
    "#59B5E9": "#7CC6F2",
    "#F5DB24": "#F5DB24",
    "#004C7F": "#2467AE",
    "#76A779": "#7FB282",
    "#D98E00": "#D98E00",
    "#B2182B": "#C92E3E",
    "#C4C4C4": "#D2D2D2",
}
"""The same looks on dark ground; as far apart for every reader as those above."""


def tint(color: str, strength: float, *, paper: str = PAPER) -> str:
    """`color` mixed with the paper's: 1 is the colour itself, 0 is the paper.

    An opaque mixture and not transparency, so that grid lines do not shine through.
    """
    mixed = (
        round(under - (under - value) * strength)
        for value, under in zip(_channels(color), _channels(paper), strict=True)
    )
    return "#" + "".join(f"{value:02X}" for value in mixed)


def dark_twins() -> Mapping[str, str]:
    """What each colour of a page becomes on dark ground, tints of `TINTS` included."""
    dark_paper = _ON_DARK[PAPER]
    tinted = {
        tint(color, strength): tint(twin, strength, paper=dark_paper)
        for color, twin in _ON_DARK.items()
        if color != PAPER
        for strength in TINTS
    }
    return {**tinted, **_ON_DARK}


def _channels(color: str) -> tuple[int, int, int]:
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return red, green, blue
