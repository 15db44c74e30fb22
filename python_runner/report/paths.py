"""Embedded and served stacks apart: never in one list without saying so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from python_runner.engines.contract import Reach

CAPTIONS: Mapping[Reach, str] = {
    Reach.EMBEDDED: "Embedded: the engine is a library in a process of ours",
    Reach.SERVED: "Served: a server over HTTP, whose price is part of every figure",
}


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The stacks of one path."""

    reach: Reach
    stacks: pd.DataFrame
    """Rows of the summary, in its order."""

    @property
    def caption(self) -> str:
        """What stands above them."""
        return CAPTIONS[self.reach]


def panels(stacks: pd.DataFrame) -> tuple[Panel, ...]:
    """`stacks` (of the summary) by path, embedded first; a path without any has no panel."""
    found = (Panel(reach=reach, stacks=stacks[stacks["reach"] == reach.value]) for reach in Reach)
    return tuple(panel for panel in found if len(panel.stacks))
