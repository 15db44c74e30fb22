"""One run of a load, computed once for the table and all pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from python_runner.analyse.load.errors import errors_by_kind
from python_runner.analyse.load.levels import summarise_levels
from python_runner.analyse.load.request import request_figures
from python_runner.common.clock import NS_PER_S
from python_runner.common.errors import UsageError
from python_runner.measure.load.level import Arrivals
from python_runner.report.variants import variant_numbers
from python_runner.store import Frames
from python_runner.study import parse_duration

_MS_PER_S = 1000.0


@dataclass(frozen=True, kw_only=True)
class LoadData:
    """What reports of a load are given."""

    conditions: pd.DataFrame
    run: Mapping[Any, Any]
    """The row of the run."""
    study: Mapping[str, Any]
    """The study as it was kept."""
    figures: pd.DataFrame
    """Requests with their figures (`request_figures`); `due_s`: since their level's start."""
    levels: pd.DataFrame
    """`summarise_levels`' rows."""
    errors: pd.DataFrame
    """`errors_by_kind`'s rows."""
    targets_ms: Mapping[str, float]
    """Targets of goodput."""

    @cached_property
    def is_open(self) -> bool:
        """Whether requests came at set times; a load has one kind of loop."""
        return bool((self.levels["arrivals"] != Arrivals.CLOSED.value).any())

    @property
    def measured(self) -> pd.DataFrame:
        """Levels with a figure."""
        return self.levels[self.levels["ttft_p50_ms"].notna()]

    def requests_of(self, level_id: int) -> pd.DataFrame:
        """The requests of one level."""
        return self.figures[self.figures["level_id"] == level_id]


def load_data(frames: Frames) -> LoadData:
    """Compute the figures of one run. Raises UsageError for none or several."""
    if len(frames.runs) != 1:
        raise UsageError(
            f"a report is about one run, and this is about {len(frames.runs)}",
            hint="`polystack runs` lists the runs; name one of them.",
        )
    run = frames.runs.to_dict(orient="records")[0]
    study = json.loads(str(run["study_json"]) or "{}")
    figures = request_figures(frames.load_requests, frames.load_levels)
    targets = _targets_ms(study)
    levels = summarise_levels(figures, frames.load_levels, targets)
    return LoadData(
        conditions=frames.conditions.assign(variant=variant_numbers(frames.conditions)),
        run=run,
        study=study,
        figures=figures.assign(due_s=_due_s(figures, levels)),
        levels=levels,
        errors=errors_by_kind(figures),
        targets_ms=targets,
    )


def _targets_ms(study: Mapping[str, Any]) -> dict[str, float]:
    slo = (study.get("load") or {}).get("slo") or {}
    return {name: parse_duration(limit) * _MS_PER_S for name, limit in slo.items()}


def _due_s(figures: pd.DataFrame, levels: pd.DataFrame) -> pd.Series[float]:
    starts = figures["level_id"].map(levels.set_index("level_id")["started_ns"])
    first = figures.groupby("level_id")["sent_ns"].transform("min")
    began = starts.astype(float).fillna(first.astype(float))
    return (figures["scheduled_ns"].astype(float) - began) / NS_PER_S


def load_words(level: Mapping[Any, Any]) -> str:
    """What a level asks for: `10 users`, `1 user`, `2.5 req/s`."""
    if level["arrivals"] == Arrivals.CLOSED.value:
        users = int(level["users"])
        return "1 user" if users == 1 else f"{users:,} users"
    return f"{level['rate']:g} req/s"
