"""Judged claims, put into words: what table, picture, Markdown and JSON have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from python_runner.analyse.claims import (
    ClaimJudgement,
    ClaimVerdict,
    Effect,
    Finding,
    Part,
    RunJudgement,
    Unit,
    together,
)
from python_runner.analyse.summary import summarise
from python_runner.report.facts import RunFacts, run_facts, shorten
from python_runner.report.units import TO, spell_number, spell_range, spell_ratio, spell_share
from python_runner.study import Claims

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LONGEST_CELL = 64


@dataclass(frozen=True, kw_only=True)
class ClaimColumn:
    """One run: what it was, and what it says about each claim."""

    judgement: RunJudgement
    facts: RunFacts
    to_run: str
    """The command whose run has what this one lacks; empty: nothing lacks."""

    @property
    def heading(self) -> str:
        return f"{self.judgement.study}, run {self.judgement.run_id}"


@dataclass(frozen=True, kw_only=True)
class ClaimRow:
    """One line: a claim as a whole, or one part of it, in all columns."""

    label: str
    """`2`, or `2b` for its second part."""
    says: str
    is_part: bool
    verdicts: tuple[ClaimVerdict, ...]
    findings: tuple[Finding | None, ...]
    """None for a claim as a whole that has several parts: they stand below it."""


@dataclass(frozen=True, kw_only=True)
class ClaimsData:
    """Runs side by side, each judged by itself."""

    claims: Claims
    columns: tuple[ClaimColumn, ...]
    warning: str = ""
    """Why columns must not be compared; empty: they may be."""

    @property
    def rows(self) -> tuple[ClaimRow, ...]:
        return tuple(_rows(self.claims, [column.judgement for column in self.columns]))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of all runs, each once; the one about columns first."""
        own = (text for column in self.columns for text in column.facts.warnings)
        return tuple(dict.fromkeys(text for text in (self.warning, *own) if text))

    @property
    def exclusions(self) -> tuple[str, ...]:
        """Claims that cannot both be true, as sentences."""
        return tuple(
            f"Claims {first} and {second} exclude each other: {why}."
            for first, second, why in self.claims.exclusions
        )

    @property
    def readings(self) -> tuple[str, ...]:
        """What the words of each claim are taken to mean."""
        return tuple(
            f"{claim.id}: {claim.reading}" for claim in self.claims.claims if claim.reading
        )

    @property
    def marks(self) -> tuple[str, ...]:
        """What changes how verdicts may be read, and of which run and which claims."""
        return (*_marks(self.columns), *self.together)

    @property
    def together(self) -> tuple[str, ...]:
        """What all runs say together of claims that name models, as sentences."""
        return tuple(
            f"All runs together, claim {one.claim_id}: {one.verdict.value}"
            + (f" (no run of {', '.join(one.missing)})." if one.missing else ".")
            for one in together([column.judgement for column in self.columns])
        )


def claims_data(
    claims: Claims,
    runs: Sequence[tuple[RunJudgement, pd.DataFrame, pd.DataFrame, pd.DataFrame, str]],
    warning: str = "",
    *,
    loads: Mapping[int, RunFacts] | None = None,
) -> ClaimsData:
    """Put judged runs together.

    Args:
        claims: what they were held against.
        runs: of each its judgement, samples, conditions, row of runs, and what to run.
        warning: see `ClaimsData`.
        loads: of runs that are loads, by their number, what they were (`load_facts`).
    """
    known = loads or {}
    columns = tuple(
        ClaimColumn(
            judgement=judgement,
            facts=known.get(judgement.run_id)
            or run_facts(samples, conditions, row, summarise(samples, conditions)),
            to_run=to_run,
        )
        for judgement, samples, conditions, row, to_run in runs
    )
    return ClaimsData(claims=claims, columns=columns, warning=warning)


def spell_effect(effect: Effect) -> str:
    """The number with its interval, as a ratio, a share, or a range that was seen."""
    if effect.unit is Unit.RATIO:
        ends = TO.join(spell_number(value) for value in (effect.low, effect.high))
        return f"{spell_ratio(effect.value)} ({ends})"
    if effect.unit is Unit.SHARE:
        ends = TO.join(spell_share(value) for value in (effect.low, effect.high))
        return f"{spell_share(effect.value)} ({ends})"
    if effect.unit is Unit.MS:
        return spell_range(effect.low, effect.high)
    ends = TO.join(spell_number(value) for value in (effect.low, effect.high))
    return f"{ends} {effect.unit.value}"


def spell_seen(effect: Effect) -> str:
    """The number, and what was put beside what."""
    return f"{effect.of}: {spell_effect(effect)}"


def spell_cell(finding: Finding | None) -> str:
    """What stands below a verdict where there is little room; empty: nothing."""
    if finding is None:
        return ""
    return spell_seen(finding.effect) if finding.effect else shorten(finding.why, _LONGEST_CELL)


def spell_grounds(finding: Finding) -> str:
    """Why, with what stands behind it: iterations, blocks and noise floor."""
    effect = finding.effect
    if effect is None:
        return finding.why
    parts = [finding.why, f"n = {' + '.join(str(count) for count in effect.n)}"]
    if effect.blocks:
        parts[1] += f" in {effect.blocks} block{'s' if effect.blocks > 1 else ''}"
    if effect.noise_floor is not None:
        parts.append(f"noise floor {spell_share(effect.noise_floor)} ({effect.floor_source})")
    return "; ".join(parts)


def _rows(claims: Claims, judgements: Sequence[RunJudgement]) -> Iterator[ClaimRow]:
    for index, claim in enumerate(claims.claims):
        judged = [judgement.judged[index] for judgement in judgements]
        is_alone = len(claim.tests) == 1
        yield ClaimRow(
            label=claim.id,
            says=claim.says,
            is_part=False,
            verdicts=tuple(one.verdict for one in judged),
            findings=tuple(one.deciding if is_alone else None for one in judged),
        )
        if not is_alone:
            yield from _part_rows(claim.id, judged)


def _part_rows(claim_id: str, judged: Sequence[ClaimJudgement]) -> Iterator[ClaimRow]:
    for number, parts in enumerate(zip(*(one.parts for one in judged), strict=True)):
        yield ClaimRow(
            label=f"{claim_id}{_LETTERS[number]}",
            says=parts[0].says,
            is_part=True,
            verdicts=tuple(part.finding.verdict for part in parts),
            findings=tuple(part.finding for part in parts),
        )


def _marks(columns: Sequence[ClaimColumn]) -> Iterator[str]:
    """Each mark once for all that it holds for: `Runs 3, 4, claims 1a, 5: ...`."""
    runs: dict[tuple[str, str], list[str]] = {}
    for column in columns:
        labels: dict[str, list[str]] = {mark: [] for mark in column.judgement.marks}
        for label, part in _labelled(column.judgement):
            for mark in part.finding.marks:
                labels.setdefault(mark, []).append(label)
        for mark, mine in labels.items():
            of = _several("claim", mine) if mine else "all claims"
            runs.setdefault((mark, of), []).append(str(column.judgement.run_id))
    for (mark, of), numbers in runs.items():
        yield f"{_several('run', numbers).capitalize()}, {of}: {mark}."


def _several(thing: str, which: Sequence[str]) -> str:
    return f"{thing if len(which) == 1 else f'{thing}s'} {', '.join(which)}"


def _labelled(judgement: RunJudgement) -> Iterator[tuple[str, Part]]:
    for judged in judgement.judged:
        for number, part in enumerate(judged.parts):
            is_alone = len(judged.parts) == 1
            yield judged.claim.id + ("" if is_alone else _LETTERS[number]), part
