"""Lanes: a row for each stack with its name above its marks, so that wide and narrow pages read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from python_runner.analyse.summary import FEWEST_FOR_INTERVAL
from python_runner.report.figures.looks import Look
from python_runner.report.figures.sheet import Trace, axes, names_axis
from python_runner.report.palette import INK, QUIET

PITCH = 68
"""Pixels of one lane: its name above, its marks below."""
BAR = 0.46
_CENTRE = 0.64
_NAME = 0.2
_GAP = "\N{NO-BREAK SPACE}"
_MIDDLE_LANE = 0.32
ROOM_FOR_VALUE = 1.42
"""The axis goes on so much further than the marks: a narrow page needs that for the values."""


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One stack of a panel."""

    row: Mapping[Any, Any]
    """Of the summary, or of another table with a row for each stack."""
    look: Look
    panel: int
    index: int
    """From the top of its panel, from 0."""

    @property
    def centre(self) -> float:
        """Where its marks are; the y axis counts lanes from the top."""
        return self.index + _CENTRE

    def trace(self, **more: Any) -> Trace:
        """A trace in this lane; `more` overrides what all have."""
        return {"type": "scatter", **self.look.shared(), **axes(self.panel), **more}

    def label(self) -> Trace:
        """Name and kind, above the marks, on an axis of their own: they stay where one zooms."""
        return self.trace(
            mode="text",
            x=[0],
            y=[self.index + _NAME],
            xaxis=names_axis(self.panel),
            text=[f"{_GAP}{self.look.label}"],
            textposition="middle right",
            textfont={"size": 13, "color": INK},
            hoverinfo="skip",
            cliponaxis=False,
        )

    def value(self, x: float, text: str, *, color: str = INK) -> Trace:
        """Words right of the marks."""
        return self.trace(
            mode="text",
            x=[x],
            y=[self.centre],
            text=[f"{_GAP * 2}{text}"],
            textposition="middle right",
            textfont={"size": 13.5, "color": color},
            hoverinfo="skip",
            cliponaxis=False,
        )

    def nothing(self, x: float, text: str) -> Trace:
        """Instead of marks."""
        return self.value(x, f"<i>{text}</i>", color=QUIET)


def lanes_of(stacks: pd.DataFrame, looks: Mapping[int, Look], panel: int) -> list[Lane]:
    """A lane for each of `stacks`, in their order."""
    return [
        Lane(row=row, look=looks[int(row["condition_id"])], panel=panel, index=index)
        for index, row in enumerate(stacks.to_dict(orient="records"))
    ]


def lanes_axis(lanes: Sequence[Lane]) -> dict[str, Any]:
    """The y axis of a panel of lanes: it has no scale."""
    return {
        "range": [max(1, len(lanes)), 0],
        "showticklabels": False,
        "ticks": "",
        "showgrid": False,
        "fixedrange": True,
    }


def offsets(count: int) -> npt.NDArray[np.float64]:
    """Heights of dots within a lane, from -1 to 1, shape (count,): their order, no chance.

    None lies in the middle, where the interval is, unless there is no interval.
    """
    if count < FEWEST_FOR_INTERVAL:
        return np.linspace(-0.6, 0.6, count) if count > 1 else np.zeros(count)
    upper = (count + 1) // 2
    return np.concatenate(
        [np.linspace(-1, -_MIDDLE_LANE, upper), np.linspace(_MIDDLE_LANE, 1, count - upper)]
    )
