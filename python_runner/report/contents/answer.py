"""The first paragraph: what is fastest, by how much, how sure, under what conditions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from python_runner.analyse.compare import Verdict
from python_runner.analyse.fairness import fairness_table
from python_runner.engines.contract import Reach
from python_runner.measure.fairness import Equality
from python_runner.report.answers import struck_note, struck_of
from python_runner.report.contents.reported import ReportedComparison
from python_runner.report.facts import TINY_WARNING, shorten
from python_runner.report.units import (
    TO,
    spell_number,
    spell_percent,
    spell_range,
    spell_ratio,
    spell_time,
)
from python_runner.report.words.pairs import was_busy
from python_runner.report.words.time import NOT_QUIET, is_crowd_told

_MOST_REASON = 120
Row = Mapping[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A stack beside the one with the lowest median."""

    title: str
    reach: str
    ratio: float
    low: float
    high: float
    verdict: str
    """Of this stack, whichever way round the pair was compared."""
    reason: str

    @property
    def interval(self) -> str:
        """`1.13-1.20`, or empty where there is none."""
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            return ""
        return f"{spell_number(self.low)}{TO}{spell_number(self.high)}"


def answer(run: ReportedComparison) -> tuple[str, ...]:
    """The sentences, the most important first."""
    return tuple(_sentences(run))


def counted(run: ReportedComparison) -> list[Row]:
    """Stacks that have a median and are not struck out, the lowest median first."""
    rows = run.data.measured.sort_values("e2e_ms", kind="stable").to_dict(orient="records")
    return [row for row in rows if not struck_of(row)]


def beside_first(run: ReportedComparison, first: Row) -> list[Beside]:
    """Every other stack that counts, held against `first`; only what was tested."""
    found = [
        _beside(pair, run)
        for pair in run.pairs["e2e_ms"].to_dict(orient="records")
        if pair["condition_id_right"] == first["condition_id"]
    ]
    return sorted(found, key=lambda one: one.ratio)


def _sentences(run: ReportedComparison) -> Iterator[str]:
    rows = counted(run)
    if not rows:
        yield from _nothing(run)
    elif len(rows) == 1:
        yield from _alone(run, rows[0])
    else:
        yield from _compared(run, rows)
    yield from _unquiet(run)
    yield from _left_out(run)
    yield from _cautions(run)
    yield _conditions(run)
    yield from unequal_words(run.frames.conditions)
    if rows and TINY_WARNING not in run.facts.warnings:
        yield "One run on one machine is an observation, and not a law."


def _unquiet(run: ReportedComparison) -> Iterator[str]:
    """What else ran hits one stack more than another, and no interval knows of it."""
    if was_busy(run.pairs["e2e_ms"]) and not is_crowd_told(run.facts.warnings):
        yield (
            f"{NOT_QUIET} (noise floor {_floor(run)}): repeat the run with nothing "
            "else on it before a ratio is believed."
        )


def _nothing(run: ReportedComparison) -> Iterator[str]:
    yield "No stack has a result that counts, so nothing can be said about which is fastest."
    for row in run.data.summary.to_dict(orient="records"):
        if row["error"]:
            yield f"{row['title']}: {shorten(row['error'], _MOST_REASON)}."


def _alone(run: ReportedComparison, row: Row) -> Iterator[str]:
    yield (
        f"Only {_name(row)} has a result that counts: a median of {_median(row)} from request to "
        "last token. "
        "There is nothing to compare it with."
    )


def _compared(run: ReportedComparison, rows: Sequence[Row]) -> Iterator[str]:
    first = rows[0]
    others = beside_first(run, first)
    slower = [one for one in others if one.verdict == Verdict.SLOWER.value]
    unclear = [one for one in others if one.verdict != Verdict.SLOWER.value]
    if not slower:
        yield (
            f"No stack can be called fastest. {_name(first)} has the lowest median, "
            f"{_median(first)} from request to last token."
        )
    elif unclear:
        yield (
            f"{_name(first)} has the lowest median, {_median(first)} from request to last token, "
            f"but it is not clearly faster than {_listed([one.title for one in unclear])}."
        )
    else:
        yield (
            f"{_name(first)} was fastest: a median of {_median(first)} from request to last token."
        )
    if slower:
        yield _slower_words(slower, _floor(run))
    for verdict, reason in dict.fromkeys((one.verdict, one.reason) for one in unclear):
        alike = [one for one in unclear if (one.verdict, one.reason) == (verdict, reason)]
        yield _unclear_words(alike, str(first["title"]))


def _slower_words(slower: Sequence[Beside], floor: str) -> str:
    took = _listed(
        [
            f"{one.title}{_served(one.reach)} took {spell_ratio(one.ratio)} as long "
            f"({one.interval})"
            for one in slower
        ]
    )
    each = "That difference is" if len(slower) == 1 else "Each of these differences is"
    return f"{took}. {each} beyond chance and beyond this machine's own noise ({floor})."


def _unclear_words(others: Sequence[Beside], first: str) -> str:
    """Of stacks with one verdict and one reason."""
    names = _listed([f"{one.title}{_seen(one)}" for one in others])
    if others[0].verdict == Verdict.NO_DIFFERENCE.value:
        return f"There is no difference between {first} and {names}."
    if others[0].verdict == Verdict.FASTER.value:
        return f"Block by block {names} came out faster than {first}, against the medians."
    return f"Whether {first} differs from {names} is not known: {others[0].reason}."


def _seen(one: Beside) -> str:
    """In brackets: how it was reached if not in process, and the ratio."""
    parts = ["served over HTTP"] if one.reach == Reach.SERVED.value else []
    if math.isfinite(one.ratio):
        interval = f", {one.interval}" if one.interval else ""
        parts.append(f"ratio {spell_ratio(one.ratio)}{interval}")
    return f" ({'; '.join(parts)})" if parts else ""


def _left_out(run: ReportedComparison) -> Iterator[str]:
    """Stacks without a result, and those whose answers are wrong."""
    has_result = bool(len(run.data.measured))
    for row in run.data.summary.to_dict(orient="records"):
        if struck_of(row):
            yield struck_note(row)
        elif not math.isfinite(row["e2e_ms"]) and has_result:
            why = f": {shorten(row['error'], _MOST_REASON)}" if row["error"] else ""
            yield f"{row['title']} gave no result{why}."


def _conditions(run: ReportedComparison) -> str:
    facts = run.facts
    return f"Conditions: {facts.model}; {facts.work}; {facts.course}."


def unequal_words(conditions: pd.DataFrame) -> Iterator[str]:
    """What was not equal, and what nobody knows, by the names of the criteria."""
    table = fairness_table(conditions)
    if table.empty:
        if len(conditions) > 1:
            yield "What the stacks had in common was not kept with this run."
        return
    differ = table[table["equality"] == Equality.DIFFERENT.value]
    must = differ[differ["blocks"].astype(bool)]
    told = differ[~differ["blocks"].astype(bool)]
    unknown = table[table["equality"] == Equality.UNKNOWN.value]
    for row in must.to_dict(orient="records"):
        held = "; ".join(f"{fact}: {', '.join(who)}" for fact, who in row["holders"].items())
        yield f"Not equal, and allowed to be: {row['criterion']} ({held})."
    if len(told):
        yield f"Also different: {_listed(list(told['criterion']))}."
    if len(unknown):
        yield f"Not known whether equal: {_listed(list(unknown['criterion']))}."
    if must.empty and told.empty and unknown.empty:
        yield "Every criterion of fairness was equal."


def _cautions(run: ReportedComparison) -> Iterator[str]:
    """What changes how all of this may be read; what was not equal stands at the end."""
    for warning in run.facts.warnings:
        if not warning.startswith("Not equal, and allowed to be"):
            yield warning


def _beside(pair: Row, run: ReportedComparison) -> Beside:
    reaches = run.frames.conditions.set_index("condition_id")["reach"]
    return Beside(
        title=str(pair["title_left"]),
        reach=str(reaches[pair["condition_id_left"]]),
        ratio=float(pair["ratio"]),
        low=float(pair["ratio_low"]),
        high=float(pair["ratio_high"]),
        verdict=str(pair["verdict"]),
        reason=str(pair["reason"]),
    )


def _floor(run: ReportedComparison) -> str:
    return spell_percent(float(run.pairs["e2e_ms"]["noise_floor"].max()))


def _median(row: Row) -> str:
    interval = spell_range(row["e2e_low_ms"], row["e2e_high_ms"])
    known = math.isfinite(row["e2e_low_ms"])
    sure = f"95 % interval {interval}" if known else "too few iterations for an interval"
    return f"{spell_time(row['e2e_ms'])} ({sure})"


def _name(row: Row) -> str:
    return f"{row['title']} ({row['language']}, {row['reach']})"


def _served(reach: str) -> str:
    return ", served over HTTP," if reach == Reach.SERVED.value else ""


def _listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
