"""Two stacks of one run beside each other: what may be said about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from python_runner.analyse.answers import with_answers
from python_runner.analyse.columns import COLUMNS
from python_runner.analyse.compare import alpha_of_run, compare_pairs, pairs_of_run
from python_runner.analyse.latency import RATE_AND_TIME_COLUMNS
from python_runner.common.errors import UnknownNameError, UsageError
from python_runner.notebook import html
from python_runner.report.answers import struck_of
from python_runner.report.facts import RunFacts
from python_runner.report.units import TO, spell_number, spell_percent, spell_ratio, spell_time
from python_runner.report.words.pairs import floor_words, spell_p, spell_ratios, verdict_words
from python_runner.store import Frames

_SIDES = ("left", "right")
_TIME = "_ms"


@dataclass(frozen=True, eq=False)
class Comparison:
    """A pair of stacks, by one figure.

    Attributes:
        row: of the table `pairs` (`columns("pairs")` says what it holds): the left stack is
            the one that was named first.
        n_pairs: pairs of the run that the p-value is corrected for.
        facts: conditions and marks of the run.
    """

    row: Mapping[str, Any]
    n_pairs: int
    facts: RunFacts

    @property
    def ratio(self) -> float:
        """Left over right."""
        return float(self.row["ratio"])

    @property
    def interval(self) -> tuple[float, float]:
        """Of the ratio, at 1 - alpha (95 % if the run was looked at once)."""
        return float(self.row["ratio_low"]), float(self.row["ratio_high"])

    @property
    def verdict(self) -> str:
        """About the left stack: `faster`, `slower`, `no difference` or `not known`."""
        return str(self.row["verdict"])

    @property
    def reason(self) -> str:
        """Why."""
        return str(self.row["reason"])

    def __repr__(self) -> str:
        row = self.row
        return (
            f"{row['title_left']} over {row['title_right']}, {self._what}: "
            f"{spell_ratio(self.ratio)} ({spell_ratios(*self.interval)}), {self.verdict}: "
            f"{self.reason}"
        )

    @property
    def _what(self) -> str:
        name = str(self.row["metric"])
        return COLUMNS["requests"][name].label

    def _repr_html_(self) -> str:
        row = self.row
        sure = spell_percent(1 - float(row["alpha"]))
        headings = [
            html.Heading(text=f"{row['title_left']} over {row['title_right']}, {self._what}"),
            html.Heading(text="ratio", is_number=True),
            html.Heading(text="p", is_number=True),
            html.Heading(text="what may be said"),
        ]
        cells = [
            html.Cell(text="; ".join(self._medians()), below="medians with their 95 % interval"),
            html.Cell(text=spell_ratio(self.ratio), below=spell_ratios(*self.interval)),
            html.Cell(text=spell_p(float(row["p_holm"]))),
            html.Cell(text=verdict_words(row), below=self.reason, is_strong=True),
        ]
        corrected = f", corrected for {self.n_pairs} pairs (Holm)" if self.n_pairs > 1 else ""
        return html.whole(
            html.table(headings, [cells]),
            html.warnings(self.facts.warnings),
            html.lines(
                [
                    f"Below the ratio its {sure} interval. p: permutation test{corrected}. "
                    f"{floor_words(pd.DataFrame([row]))}",
                    f"{self.facts.model} · {self.facts.work}",
                    self.facts.course,
                ]
            ),
        )

    def _medians(self) -> Iterator[str]:
        is_time = str(self.row["metric"]).endswith(_TIME)
        spell = spell_time if is_time else spell_number
        for side in _SIDES:
            ends = [float(self.row[f"median_{end}_{side}"]) for end in ("low", "high")]
            yield (
                f"{self.row[f'title_{side}']} {spell(float(self.row[f'median_{side}']))} "
                f"({TO.join(spell(end) for end in ends)}, n = {self.row[f'n_{side}']})"
            )


def compare_stacks(
    frames: Frames, facts: RunFacts, left: str, right: str, metric: str
) -> Comparison:
    """Put two stacks of one comparison beside each other. See `Run.compare` for the errors."""
    if metric not in RATE_AND_TIME_COLUMNS:
        raise UnknownNameError("figure", metric, RATE_AND_TIME_COLUMNS)
    conditions = with_answers(frames.conditions, frames.answers)
    stacks = [_find(conditions, name) for name in (left, right)]
    wanted = (int(stacks[0]["condition_id"]), int(stacks[1]["condition_id"]))
    if wanted[0] == wanted[1]:
        raise UsageError(f"{left!r} and {right!r} are the same stack", hint="Name two that differ.")
    others = pairs_of_run(frames.samples, conditions, frames.runs, metric=metric)
    family = [
        (int(one), int(other))
        for one, other in zip(
            others["condition_id_left"], others["condition_id_right"], strict=True
        )
    ]
    if wanted not in family and wanted[::-1] not in family:
        raise UsageError(_why_not(stacks, metric), hint="`run.summary` shows what each has.")
    family = [wanted if set(pair) == set(wanted) else pair for pair in family]
    alpha = alpha_of_run(frames.samples, frames.runs.to_dict(orient="records")[0])
    compared = compare_pairs(frames.samples, conditions, family, metric=metric, alpha=alpha)
    rows = compared.assign(alpha=alpha).to_dict(orient="records")
    row = {str(name): value for name, value in rows[family.index(wanted)].items()}
    return Comparison(row=row, n_pairs=len(family), facts=facts)


def _find(conditions: pd.DataFrame, name: str) -> Mapping[Any, Any]:
    rows = conditions.to_dict(orient="records")
    for column in ("stack", "title"):
        for row in rows:
            if row[column] == name:
                return row
    raise UnknownNameError("stack of this run", str(name), [str(row["stack"]) for row in rows])


def _why_not(stacks: list[Mapping[Any, Any]], metric: str) -> str:
    for stack in stacks:
        if struck := struck_of(stack):
            return f"{stack['title']} is struck out, because its answers are wrong: {struck}"
        if stack["error"]:
            return f"{stack['title']} has no timed request with {metric}: {stack['error']}"
    titles = " or ".join(str(stack["title"]) for stack in stacks)
    return f"{titles} has no timed request with {metric}"
