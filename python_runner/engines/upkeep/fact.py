"""One figure about one stack, or why there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass

UNKNOWN = math.nan
BUILD = "build_s"
DEPLOYED = "deployed_bytes"
DEPENDENCIES = "dependencies"
OWN_LINES = "own_lines"
UNITS = {BUILD: "s", DEPLOYED: "bytes", DEPENDENCIES: "packages", OWN_LINES: "lines"}


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One row of the table that `analyse.upkeep` makes."""

    stack: str
    title: str
    language: str
    reach: str
    figure: str
    value: float
    """NaN: not known."""
    source: str = ""
    """Where the figure comes from, and what it leaves out."""
    why_unknown: str = ""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A figure and where it comes from; or why there is none."""

    value: float = UNKNOWN
    source: str = ""
    why_unknown: str = ""


def unknown(reason: str) -> Counted:
    """No figure, for this reason."""
    return Counted(why_unknown=reason)
