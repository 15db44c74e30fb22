"""Runs as reports are given them: figures computed once for page, Markdown and `summary.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from python_runner.analyse.answers import with_answers
from python_runner.analyse.compare import METRICS, pairs_of_run
from python_runner.analyse.published import PublishedTable
from python_runner.analyse.serving import price_of_serving
from python_runner.engines.table import embedded_twins
from python_runner.report.charts.data import ChartData, chart_data
from python_runner.report.claims import ClaimsData
from python_runner.report.facts import RunFacts
from python_runner.report.load_data import LoadData, load_data
from python_runner.report.load_facts import load_facts
from python_runner.store import Frames, RunKind


@dataclass(frozen=True, kw_only=True)
class ReportedComparison:
    """One comparison."""

    frames: Frames
    """As `store` reads it; `conditions` with what is known of the answers."""
    data: ChartData
    claims: ClaimsData | None = None
    """Its claims, judged by this run alone; None: its study names none."""
    claims_lack: str = ""
    """Why there are none, for a study that names some."""
    explaining: Sequence[Frames] = ()
    """Runs of ablations that were made to explain this one."""
    table: PublishedTable | None = None
    """Of the published study that it belongs to, if it does."""

    @property
    def facts(self) -> RunFacts:
        """Its conditions in words."""
        return self.data.facts

    @property
    def run(self) -> Mapping[Any, Any]:
        """Its row."""
        return _row(self.frames)

    @property
    def study(self) -> Mapping[str, Any]:
        """The study as it was kept."""
        return _study(self.frames)

    @cached_property
    def pairs(self) -> Mapping[str, pd.DataFrame]:
        """Metric to `pairs_of_run`'s rows."""
        tables = (self.frames.samples, self.frames.conditions, self.frames.runs)
        return {metric: pairs_of_run(*tables, metric=metric) for metric in METRICS}

    @cached_property
    def prices(self) -> pd.DataFrame:
        """`price_of_serving`'s rows."""
        return price_of_serving(self.frames.samples, self.frames.conditions, embedded_twins())


@dataclass(frozen=True, kw_only=True)
class ReportedLoad:
    """One load."""

    frames: Frames
    data: LoadData
    table: PublishedTable | None = None
    """As of a comparison."""

    @cached_property
    def facts(self) -> RunFacts:
        """Its conditions in words."""
        return load_facts(self.data)

    @property
    def run(self) -> Mapping[Any, Any]:
        """Its row."""
        return self.data.run

    @property
    def study(self) -> Mapping[str, Any]:
        """The study as it was kept."""
        return self.data.study


Reported = ReportedComparison | ReportedLoad


def reported(
    frames: Frames,
    *,
    claims: ClaimsData | None = None,
    claims_lack: str = "",
    explaining: Sequence[Frames] = (),
    table: PublishedTable | None = None,
) -> Reported:
    """Compute the figures of the one run in `frames`. Raises UsageError for none or several.

    Args:
        frames: one run.
        claims: see `ReportedComparison`; a load has none.
        claims_lack: see there.
        explaining: see there.
        table: see there.
    """
    if len(frames.runs) == 1 and frames.runs["kind"].iloc[0] == RunKind.LOAD:
        return ReportedLoad(frames=frames, data=load_data(frames), table=table)
    conditions = with_answers(frames.conditions, frames.answers)
    return ReportedComparison(
        frames=_with(frames, conditions),
        data=chart_data(frames.samples, conditions, frames.runs),
        claims=claims,
        claims_lack=claims_lack,
        table=table,
        explaining=tuple(
            _with(each, with_answers(each.conditions, each.answers)) for each in explaining
        ),
    )


def _with(frames: Frames, conditions: pd.DataFrame) -> Frames:
    return Frames(
        samples=frames.samples,
        conditions=conditions,
        runs=frames.runs,
        load_levels=frames.load_levels,
        load_requests=frames.load_requests,
        answers=frames.answers,
    )


def _row(frames: Frames) -> Mapping[Any, Any]:
    return frames.runs.to_dict(orient="records")[0]


def _study(frames: Frames) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(str(_row(frames)["study_json"]) or "{}")
    return found
