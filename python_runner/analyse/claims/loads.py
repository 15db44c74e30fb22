"""Loads as evidence: what the steady parts of levels say about stacks, and how sure that is.

A level is measured once, so its requests are all there is. They wait in one queue and are not
independent. The steady part is therefore cut into consecutive batches, each at least two answers
long, and what differs between batches sets the error (batch means: Law and Kelton, Simulation
Modeling and Analysis, 2000, ch. 9.5). Two levels are compared batch by batch, in order, by the
test of `compare`, a batch being a block of one value. What it does not see is how another load
on the same machine would come out: so the noise floor is that of stacks that were not measured
in turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from python_runner.analyse.claims.apart import RunFrames
from python_runner.analyse.claims.evidence import Compared
from python_runner.analyse.claims.result import Effect, Unit
from python_runner.analyse.compare import Reason, decide, holm
from python_runner.analyse.compare.blocks import Cells, Floats
from python_runner.analyse.compare.noise import floor_of
from python_runner.analyse.compare.permutation import RESAMPLES, TestResult, compare_family
from python_runner.analyse.latency import MS_PER_S, NAN
from python_runner.analyse.load.batches import (
    FEWEST_BATCHES,
    batch_count,
    batch_interval,
    batch_means,
    seconds_for,
)
from python_runner.analyse.load.percentiles import percentile_of
from python_runner.analyse.load.request import LoadOutcome, request_figures
from python_runner.analyse.load.throughput import rates_in_parts, stood_still
from python_runner.analyse.load.window import CLOSED, Window, steady_window

Place = tuple[int, int]
"""A condition and a number of users: one level."""
Wanted = tuple[str, Place, Place]
"""A figure of claims and two levels."""
MEASURED_ONCE = (
    "each level was measured once, one stack after the other; what another load would differ by is "
    "assumed (the noise floor)"
)
TGR = "tgr"
METRICS = ("ttft", "e2e", "tpot", "output_tokens_per_s", "decode_tokens_per_s", "output_tokens")
"""The figures of claims that a request of a load has; `tgr` is the level's."""


@dataclass(frozen=True, kw_only=True)
class _Level:
    title: str
    users: int
    requests: pd.DataFrame
    """All, with their figures."""
    window: Window

    @property
    def name(self) -> str:
        return f"{self.title} at {_users(self.users)}"

    @property
    def inside(self) -> pd.DataFrame:
        return self.requests[self.window.holds(self.requests)].sort_values("scheduled_ns")

    @property
    def answer_s(self) -> float:
        """Median of how long an answer takes."""
        return float(self.inside["answer_ms"].median()) / MS_PER_S

    def values(self, metric: str) -> Floats:
        """A figure of the requests of the steady part, in the order in which they were due."""
        inside = self.inside
        if metric == "output_tokens_per_s":
            found = inside["tokens"] * MS_PER_S / inside["e2e_ms"]
        elif metric == "decode_tokens_per_s":
            found = MS_PER_S / inside["tpot_ms"]
        elif metric == "output_tokens":
            found = inside["tokens"]
        else:
            found = inside[f"{metric}_ms"]
        values = found.to_numpy(dtype=np.float64)
        return np.asarray(values[np.isfinite(values) & (values > 0)])

    def batches(self, metric: str) -> int:
        values = None if metric == TGR else self.values(metric).size
        return batch_count(self.window.seconds, self.answer_s, values)

    def means(self, metric: str, batches: int) -> Floats:
        """log(figure) of each batch."""
        if metric != TGR:
            return batch_means(np.log(self.values(metric)), batches)
        with np.errstate(divide="ignore"):  # a batch without a token
            return np.asarray(np.log(rates_in_parts(self.requests, self.window, batches)))

    def lack(self, metric: str) -> str:
        """Why it says nothing sure about a figure; empty: it does."""
        if self.window.lack:
            return f"{self.name}: no steady state, {self.window.lack}"
        answers = self.requests[self.requests["outcome"] == LoadOutcome.COMPLETE.value]
        if metric == TGR and answers["tokens"].isna().any():
            return f"{self.name}: nobody counted the tokens of all answers"
        if metric == TGR and stood_still(self.requests, self.window):
            return f"{self.name}: something did not run in the steady part"
        if self.batches(metric) >= FEWEST_BATCHES:
            return ""
        length = self.window.seconds / self.answer_s if self.answer_s > 0 else 0.0
        return (
            f"{self.name}: the steady part is too short to tell, {length:.1f} answers long; "
            f"let it last {seconds_for(self.answer_s):.0f} s"
        )


@dataclass(frozen=True, kw_only=True)
class LoadEvidence:
    """The levels of a run's closed loops."""

    levels: Mapping[Place, _Level]

    @classmethod
    def of(cls, frames: RunFrames) -> LoadEvidence:
        """Read a load. A run of another kind has no levels."""
        if frames.levels.empty:
            return cls(levels={})
        figures = request_figures(frames.requests, frames.levels)
        found = {}
        for level in frames.levels.to_dict(orient="records"):
            if level["arrivals"] != CLOSED:
                continue
            mine = figures[figures["level_id"] == level["level_id"]]
            users = int(level["users"])
            found[int(level["condition_id"]), users] = _Level(
                title=str(level["title"]),
                users=users,
                requests=mine,
                window=steady_window(mine, level),
            )
        return cls(levels=found)

    @property
    def complete(self) -> set[int]:
        """Conditions that gave at least one complete answer."""
        return {
            condition
            for (condition, _), level in self.levels.items()
            if (level.requests["outcome"] == LoadOutcome.COMPLETE.value).any()
        }

    def users_of(self, conditions: Iterable[int]) -> tuple[int, ...]:
        """The numbers of users that all of these were asked with, rising."""
        of_each = [
            {users for condition, users in self.levels if condition == one} for one in conditions
        ]
        return tuple(sorted(set.intersection(*of_each))) if of_each else ()

    def failed(self, place: Place) -> str:
        """What is to be said of requests that failed; empty: none did."""
        level = self.levels[place]
        inside = level.inside
        count = int((inside["outcome"] == LoadOutcome.FAILED.value).sum())
        return f"{level.name}: {count} of {len(inside)} requests failed" if count else ""

    def seconds(self, place: Place, metric: str) -> float:
        """How long a level would have to last; 0: it is long enough."""
        level = self.levels[place]
        is_short = level.window.lack or level.batches(metric) < FEWEST_BATCHES
        answer_s = level.answer_s
        return seconds_for(answer_s) if is_short and answer_s > 0 else 0.0

    def extent(self, place: Place, metric: str, over: str) -> Effect | str:
        """The range of a figure over the requests of a level, or its median with interval.

        For `tgr` its mean over the batches, with interval. Or why there is none.
        """
        level = self.levels[place]
        if metric == TGR:
            if lack := level.lack(TGR):
                return lack
            rates = np.exp(level.means(TGR, level.batches(TGR)))
            value, low, high = batch_interval(rates)
            n = len(level.inside)
        else:
            values = np.sort(level.values(metric))
            if not values.size or level.window.lack:
                return level.lack(metric) or f"{level.name}: no complete answer"
            median = percentile_of(values, 50)
            value, n = median.value, values.size
            low, high = (median.low, median.high)
            if over == "every":
                low, high = float(values[0]), float(values[-1])
        unit = {"output_tokens": Unit.TOKENS, TGR: Unit.TOKENS_PER_S}.get(
            metric, Unit.TOKENS_PER_S if metric.endswith("_per_s") else Unit.MS
        )
        return Effect(of=level.name, value=value, low=low, high=high, unit=unit, n=(n,))

    def compare(
        self, wanted: Iterable[Wanted], *, resamples: int = RESAMPLES
    ) -> dict[Wanted, Compared]:
        """Compare levels; all of them are one family for Holm's correction.

        Returns:
            Each wanted one, and the same with its sides swapped.
        """
        asked: list[Wanted] = sorted(
            {(metric, min(left, right), max(left, right)) for metric, left, right in wanted}
        )
        cells = {number: self._cells(one) for number, one in enumerate(asked)}
        family = {(number, -1): found for number, found in cells.items() if found is not None}
        tests = compare_family(family, resamples=resamples) if family else {}
        p = [float(tests[n, -1].p[0]) if (n, -1) in tests else NAN for n in cells]
        found: dict[Wanted, Compared] = {}
        for number, (one, p_holm) in enumerate(zip(asked, holm(p), strict=True)):
            metric, left, right = one
            compared = self._compared(one, tests.get((number, -1)), cells[number], float(p_holm))
            found[metric, left, right] = compared
            found[metric, right, left] = compared.swapped()
        return found

    def _lack(self, wanted: Wanted) -> str:
        metric, *places = wanted
        lacks = [lack for place in places if (lack := self.levels[place].lack(metric))]
        if metric == "e2e" and self._have_other_lengths(places):
            lacks.append(Reason.OTHER_LENGTHS.value)
        return "; ".join(lacks)

    def _have_other_lengths(self, places: Iterable[Place]) -> bool:
        """Whether some answers of these levels are longer than others."""
        tokens = pd.concat([self.levels[place].inside["tokens"] for place in places])
        return bool(tokens.nunique() > 1)

    def _cells(self, wanted: Wanted) -> Cells | None:
        """One value a side and batch; None where one of them has too few."""
        if self._lack(wanted):
            return None
        metric, *places = wanted
        levels = [self.levels[place] for place in places]
        count = min(level.batches(metric) for level in levels)
        values = np.stack([level.means(metric, count) for level in levels], axis=-1)
        if not np.isfinite(values).all():
            return None
        ones = np.ones(count, dtype=np.int64)
        return Cells(values=values[None], n_left=ones, n_right=ones)

    def _compared(
        self, wanted: Wanted, test: TestResult | None, cells: Cells | None, p_holm: float
    ) -> Compared:
        metric, *places = wanted
        left, right = (self.levels[place] for place in places)
        floor = floor_of([], in_turns=False)
        effect = float(test.effect[0]) if test else NAN
        half_width = float(test.half_width[0]) if test else NAN
        batches = cells.blocks if cells else 0
        _, reasons = decide(
            effect=effect,
            half_width=half_width,
            p_holm=p_holm,
            floor=floor.value,
            n_fewest=batches if batches >= FEWEST_BATCHES else 0,
        )
        counts = [
            len(level.inside) if metric == TGR else level.values(metric).size
            for level in (left, right)
        ]
        reason = str(reasons.item())
        return Compared(
            titles=(left.name, right.name),
            effect=effect,
            half_width=half_width,
            floor=floor.value,
            floor_source=floor.source.value,
            is_clear=reason == Reason.CLEAR.value,
            reason=reason,
            n=(counts[0], counts[1]),
            blocks=batches,
            design_effect=1.0,
            lack=self._lack(wanted) or ("" if cells else "a part of the load brought no token"),
        )


def _users(users: int) -> str:
    return "1 user" if users == 1 else f"{users} users"
