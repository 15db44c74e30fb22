"""A stored run as an object: it draws itself, and its questions are one line each."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd

from python_runner.common.errors import UnknownNameError, UsageError
from python_runner.notebook.claims import JudgedClaims
from python_runner.notebook.comparison import Comparison, compare_stacks
from python_runner.notebook.picture import Picture
from python_runner.notebook.places import Place, What, find, run_ids
from python_runner.notebook.shown import shown_load, shown_run
from python_runner.notebook.tables import facts_of, table_of
from python_runner.report.charts.data import chart_data
from python_runner.report.charts.draw import chart_style
from python_runner.report.charts.load.table import all_pictures
from python_runner.report.charts.table import CHARTS
from python_runner.report.facts import RunFacts
from python_runner.report.load_data import LoadData, load_data
from python_runner.store import Frames, RunKind, read_frames

_PATHS = ("embedded", "served")


def open_run(*what: What, results: What | None = None) -> Run:
    """One stored run; the latest if none is named.

    Args:
        what: a run by number or `"latest"`; a place may stand first, as for `load`.
        results: the place, if it does not stand first.

    Raises:
        UsageError: several runs are named.
        UnknownNameError: no such run.
        StoreError: there are no results, or they cannot be read.

    Examples:
        `open_run()`, `open_run(3)`, `open_run("sample")`, `open_run("other/results", 3)`
    """
    place, names = find(what, results)
    with place.open() as store:
        found = run_ids(store, names)
        if len(found) != 1:
            raise UsageError(
                f"open_run is about one run, and these are {len(found)}",
                hint="Name one of them, or load() them all into one frame.",
            )
        frames = read_frames(store, found)
    return Run(frames, place)


class Run:
    """One stored run. The last line of a cell shows it: conditions, medians, what may be said.

    Attributes:
        id: its number.
        kind: `comparison` or `load`.
    """

    def __init__(self, frames: Frames, place: Place) -> None:
        """Of `open_run`: the frames of one run, and where they were read."""
        self._frames = frames
        self._place = place
        self.id = int(frames.runs["run_id"].iloc[0])
        self.kind = RunKind(frames.runs["kind"].iloc[0])

    @cached_property
    def facts(self) -> RunFacts:
        """The conditions in words: model, work, course, warnings, notes."""
        return facts_of(self._frames)

    @property
    def marks(self) -> tuple[str, ...]:
        """What changes how the figures may be read: random weights, a tiny model, what differs."""
        return self.facts.warnings

    @cached_property
    def summary(self) -> pd.DataFrame:
        """The medians: the table `stacks` of a comparison, `levels` of a load."""
        return self.table("levels" if self._is_load else "stacks")

    def table(self, rows: str = "requests") -> pd.DataFrame:
        """A tidy frame of this run: as `load(..., rows=rows)`."""
        return table_of(self._frames, rows)

    @property
    def plots(self) -> tuple[str, ...]:
        """The pictures that `plot` can draw."""
        if self._is_load:
            with chart_style():
                return tuple(name for name, _ in all_pictures(self._load_data))
        return tuple(chart.name for chart in CHARTS)

    def plot(self, name: str = "") -> Picture:
        """Draw a picture of the reports; the first one of `plots` if none is named.

        Raises:
            UnknownNameError: there is no such picture of this run.
        """
        known = self.plots
        name = name or known[0]
        if name not in known:
            raise UnknownNameError(f"picture of a {self.kind.value}", str(name), known)
        with chart_style():
            if self._is_load:
                figure = dict(all_pictures(self._load_data))[name]
            else:
                draw = next(chart.draw for chart in CHARTS if chart.name == name)
                figure = draw(chart_data(*self._parts))
        words = [self.facts.model, self.facts.work, self.facts.course, *self.marks]
        return Picture(name, figure, f"{name} of run {self.id}. {' · '.join(words)}")

    def compare(self, left: str, right: str, *, metric: str = "e2e_ms") -> Comparison:
        """What may be said about two stacks: ratio left / right, interval, verdict, reason.

        Args:
            left: a stack, by its name or title.
            right: another one.
            metric: `e2e_ms`, `ttft_ms`, `tpot_ms`, `decode_tokens_per_s` or
                `output_tokens_per_s`.

        Raises:
            UnknownNameError: the run has no such stack, or there is no such figure.
            UsageError: twice the same stack, one without a value, or a run of a load.
        """
        self._need_comparison("pairs of stacks are compared")
        return compare_stacks(self._frames, self.facts, left, right, metric)

    def claims(self, claims: str | None = None, *, path: str | None = None) -> JudgedClaims:
        """Published claims with their verdicts, judged by this run alone.

        Args:
            claims: `languages`, or a claim file of yours; None: those that its study names.
            path: only stacks reached that way: `embedded` or `served`; None: all.

        Raises:
            UsageError: its study names no claims, or the run is a load.
            UnknownNameError: no such claims.
            StudyError: the claim file is not valid.
        """
        from python_runner.report.claims import claims_data
        from python_runner.run.claims import judge_runs

        self._need_comparison("claims are judged")
        if path not in (None, *_PATHS):
            raise UnknownNameError("path", str(path), _PATHS)
        with self._place.open() as store:
            judged = judge_runs(store, [self.id], claims=claims, path=path)
        one = judged.runs[0]
        parts = (one.frames.samples, one.frames.conditions, one.frames.runs)
        rows = [(one.judgement, *parts, one.to_run)]
        return JudgedClaims(claims_data(judged.claims, rows, judged.warning))

    def __repr__(self) -> str:
        facts = self.facts
        return f"<Run {self.id}, {self.kind.value}: {facts.model} · {facts.work} · {facts.course}>"

    def _repr_html_(self) -> str:
        if self._is_load:
            return shown_load(self._load_data, self.facts)
        return shown_run(*self._parts, self.facts)

    @property
    def _is_load(self) -> bool:
        return self.kind is RunKind.LOAD

    @cached_property
    def _load_data(self) -> LoadData:
        return load_data(self._frames)

    @cached_property
    def _parts(self) -> tuple[Any, Any, Any]:
        """Samples, conditions with what is known of their answers, and the row of the run."""
        from python_runner.analyse.answers import with_answers

        frames = self._frames
        conditions = with_answers(frames.conditions, frames.answers)
        return frames.samples, conditions, frames.runs

    def _need_comparison(self, what: str) -> None:
        if self._is_load:
            raise UsageError(
                f"run {self.id} is a load, and {what} in runs of `polystack compare`",
                hint="`python_runner.runs()` lists the runs with their kinds.",
            )
