"""What is known of each stack: one frame of measured figures, and the catalogue's facts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from python_runner.engines.catalogue import Catalogue, CatalogueFact

NAN = math.nan
COLUMNS = (
    *("stack", "title", "language", "reach", "figure", "value", "unit", "low", "high"),
    *("source", "run_id", "why_unknown"),
)
"""Of the frame of figures: a row for each stack and figure; value NaN: not known."""
_NO_LEVEL = "throughput_users"
"""The figure that says of a stack without any level why it has none."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number of one stack, and where it comes from."""

    value: float
    """NaN: not known."""
    low: float
    high: float
    """Between which it lies: an interval where there is one, else the value itself."""
    unit: str
    source: str = ""
    run_id: int | None = None
    why_unknown: str = ""
    note: str = ""
    """What a reader has to know of it; empty: nothing."""

    @classmethod
    def exactly(cls, value: float, unit: str, source: str = "") -> Figure:
        """A number without an interval."""
        return cls(value=value, low=value, high=value, unit=unit, source=source)

    @classmethod
    def unknown(cls, unit: str, why: str) -> Figure:
        """No number, and why."""
        return cls(value=NAN, low=NAN, high=NAN, unit=unit, why_unknown=why)

    @property
    def is_known(self) -> bool:
        return not math.isnan(self.value)

    def noted(self, note: str) -> Figure:
        """With a further note."""
        return replace(self, note="; ".join(text for text in (self.note, note) if text))


@dataclass(frozen=True, kw_only=True)
class StackFigures:
    """One stack with all that is known of it."""

    name: str
    title: str
    language: str
    reach: str
    figures: Mapping[str, Figure]
    facts: Mapping[str, CatalogueFact] = field(default_factory=dict)

    def figure(self, name: str, unit: str, why: str = "") -> Figure:
        """The figure of that name, or an unknown one."""
        return self.figures.get(name) or Figure.unknown(unit, why or "nobody has measured it")

    def at_users(self, name: str, users: int, unit: str) -> Figure:
        """A figure of a load at so many users.

        A level of just as many counts as it is. Between two levels the figure is taken to lie
        between theirs; beyond the outermost nothing is known.
        """
        levels = {
            int(key.partition("@")[2]): found
            for key, found in self.figures.items()
            if key.startswith(f"{name}@") and found.is_known
        }
        if users in levels:
            return levels[users]
        below = max((level for level in levels if level < users), default=None)
        above = min((level for level in levels if level > users), default=None)
        if below is None or above is None:
            return self._no_level(name, users, sorted(levels), unit)
        ends = (levels[below], levels[above])
        low, high = min(one.low for one in ends), max(one.high for one in ends)
        return replace(
            ends[0],
            value=math.sqrt(ends[0].value * ends[1].value),
            low=low,
            high=high,
            note=f"between the levels of {below} and {above} users",
        )

    def _no_level(self, name: str, users: int, levels: list[int], unit: str) -> Figure:
        if levels:
            why = f"measured at {', '.join(map(str, levels))} users, not at {users}"
        elif self.reach == "embedded":
            why = "a library in a process takes one request at a time here"
        else:
            asked = self.figures.get(f"{name}@{users}") or self.figures.get(_NO_LEVEL)
            why = (asked.why_unknown if asked else "") or f"no load of {users} users was run on it"
        return Figure.unknown(unit, why)


def stacks_of(frame: pd.DataFrame, catalogue: Catalogue) -> tuple[StackFigures, ...]:
    """The stacks of a frame of figures (`COLUMNS`), in its order.

    Where a stack has a figure twice, the first that is known counts.
    """
    stacks = []
    for name, rows in frame.groupby("stack", sort=False):
        figures: dict[str, Figure] = {}
        for row in rows.to_dict(orient="records"):
            found = _figure({str(key): value for key, value in row.items()})
            known = figures.get(str(row["figure"]))
            if known is None or not known.is_known:
                figures[str(row["figure"])] = found
        first = rows.iloc[0]
        stacks.append(
            StackFigures(
                name=str(name),
                title=str(first["title"]),
                language=str(first["language"]),
                reach=str(first["reach"]),
                figures=figures,
                facts=catalogue.facts(str(name)),
            )
        )
    return tuple(stacks)


def _figure(row: Mapping[str, object]) -> Figure:
    value, low, high = (_number(row[name]) for name in ("value", "low", "high"))
    run = _number(row["run_id"])
    return Figure(
        value=value,
        low=value if math.isnan(low) else low,
        high=value if math.isnan(high) else high,
        unit=str(row["unit"]),
        source=_text(row["source"]),
        run_id=None if math.isnan(run) else int(run),
        why_unknown=_text(row["why_unknown"]) or ("not measured" if math.isnan(value) else ""),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else NAN


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
