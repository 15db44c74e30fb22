"""One look for each language, everywhere.

Any two of the four colours differ by at least 25 in CIELAB, also when seen with
protanopia, deuteranopia or tritanopia (the tests simulate them; about 2 is the smallest
difference one can see). In grey print, shapes tell the languages apart, and filling tells
embedded from served. A variant has its language's colour, and a shape and a pattern of its own.
"""

from __future__ import annotations

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


def tint(color: str, strength: float) -> str:
    """`color` mixed with white: 1 is the colour itself, 0 is white.

    An opaque mixture and not transparency, so that grid lines do not shine through.
    """
    channels = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - value) * strength):02X}" for value in channels)
