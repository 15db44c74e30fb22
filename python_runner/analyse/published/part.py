"""One stored run of a published study, as the functions that make its rows see it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from python_runner.analyse.claims import RunFrames
from python_runner.analyse.load.levels import summarise_levels
from python_runner.analyse.load.request import request_figures
from python_runner.analyse.summary import summarise
from python_runner.store import Frames
from python_runner.study.published import PublishedMark, mark_of

Condition = Mapping[Any, Any]


@dataclass(frozen=True)
class PartRun:
    """The frames of one run, and what was made of them once."""

    frames: Frames

    @cached_property
    def mark(self) -> PublishedMark:
        """Which published study it belongs to. Only runs that have a mark come here."""
        found = mark_of(self.study)
        assert found is not None, "a run without a mark has no published table"
        return found

    @property
    def run(self) -> Mapping[Any, Any]:
        """Its row in the store."""
        found: Mapping[Any, Any] = self.frames.runs.iloc[0].to_dict()
        return found

    @property
    def study(self) -> Mapping[str, Any]:
        """The study as it was run."""
        found: Mapping[str, Any] = json.loads(self.run["study_json"])
        return found

    @property
    def conditions(self) -> Iterator[Condition]:
        """A row for each stack, in the order in which they ran."""
        yield from self.frames.conditions.to_dict(orient="records")

    @property
    def as_evidence(self) -> RunFrames:
        """The same as the judges of claims take it."""
        return RunFrames(
            samples=self.frames.samples,
            conditions=self.frames.conditions,
            run=self.run,
            requests=self.frames.load_requests,
            levels=self.frames.load_levels,
        )

    @cached_property
    def levels(self) -> pd.DataFrame:
        """`summarise_levels` of a load; empty for a comparison."""
        figures = request_figures(self.frames.load_requests, self.frames.load_levels)
        return summarise_levels(figures, self.frames.load_levels)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """`summarise` of a comparison, a row for each stack."""
        return summarise(self.frames.samples, self.frames.conditions)
