"""What must be equal before stacks are compared, and what is only told.

Each condition is reduced to *facts*: one short text for each criterion (`criteria`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from python_runner.common.errors import UnfairError
from python_runner.measure.criteria import CRITERIA, Criterion, check_keys
from python_runner.measure.facts import Known

Facts = Mapping[str, str]
"""Criterion key to what holds for one condition; what is not known is absent."""


class Equality(StrEnum):
    """What is known of one criterion for two conditions or more."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class PairFinding:
    """One criterion for one pair of conditions."""

    criterion: Criterion
    left: str
    right: str
    equality: Equality
    left_fact: str | None
    right_fact: str | None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One criterion for all conditions: what their pairs come to."""

    criterion: Criterion
    equality: Equality
    """Equal if every pair is; different if any pair is."""
    holders: Mapping[str, tuple[str, ...]]
    """Fact to the names of those for which it holds, in their order."""
    unknown: tuple[str, ...]
    """Those of which it is not known."""

    @property
    def is_unfair(self) -> bool:
        """Whether a run must not begin with it."""
        return self.criterion.blocks and self.equality is Equality.DIFFERENT

    def in_words(self) -> str:
        """`2 (a, b), 4 (c)`; of whom it is not known stands in `unknown` alone."""
        return ", ".join(f"{fact} ({', '.join(names)})" for fact, names in self.holders.items())


def facts_of(known: Known) -> dict[str, str]:
    """The facts of a condition; criteria on which nothing is known have no entry."""
    found = ((criterion.key, criterion.read(known)) for criterion in CRITERIA)
    return {key: fact for key, fact in found if fact is not None}


def compare_facts(conditions: Mapping[str, Facts]) -> tuple[PairFinding, ...]:
    """Every criterion for every pair of conditions, in the order of the table of criteria.

    Args:
        conditions: name of the condition to its facts.
    """
    return tuple(
        _pair(criterion, (left, conditions[left]), (right, conditions[right]))
        for criterion in CRITERIA
        for left, right in combinations(conditions, 2)
    )


def findings_of(conditions: Mapping[str, Facts]) -> tuple[Finding, ...]:
    """Every criterion once, for all conditions together; none for fewer than two of them."""
    if len(conditions) < 2:
        return ()
    return tuple(_finding(criterion, conditions) for criterion in CRITERIA)


def require_fair(conditions: Mapping[str, Facts], allowed: Iterable[str] = ()) -> tuple[str, ...]:
    """Stop if the conditions differ in what must be equal.

    Args:
        conditions: name of the condition to its facts.
        allowed: keys of criteria in which they may differ.

    Returns:
        The allowed keys in which they do differ: everything that comes out is marked with them.

    Raises:
        UnfairError: they differ in something else; the message names what and how.
        UnknownNameError: a key that is none.
    """
    may_differ = frozenset(allowed)
    check_keys(may_differ)
    unfair = [finding for finding in findings_of(conditions) if finding.is_unfair]
    refused = [finding for finding in unfair if finding.criterion.key not in may_differ]
    if refused:
        raise _unfair(refused)
    return tuple(finding.criterion.key for finding in unfair)


def _unfair(refused: Iterable[Finding]) -> UnfairError:
    findings = list(refused)
    lines = [f"  {finding.criterion.title}: {finding.in_words()}" for finding in findings]
    changes = " ".join(dict.fromkeys(finding.criterion.change for finding in findings))
    options = " ".join(f"--allow-unfair {finding.criterion.key}" for finding in findings)
    return UnfairError(
        "\n".join(["these stacks would not do the same work:", *lines]),
        hint=f"{changes} Or go on, and have everything that comes out marked: {options}",
    )


def _finding(criterion: Criterion, conditions: Mapping[str, Facts]) -> Finding:
    holders: dict[str, tuple[str, ...]] = {}
    unknown: list[str] = []
    for name, facts in conditions.items():
        fact = facts.get(criterion.key)
        if fact is None:
            unknown.append(name)
        else:
            holders[fact] = (*holders.get(fact, ()), name)
    if len(holders) > 1:
        equality = Equality.DIFFERENT
    else:
        equality = Equality.UNKNOWN if unknown else Equality.EQUAL
    return Finding(criterion=criterion, equality=equality, holders=holders, unknown=tuple(unknown))


def _pair(criterion: Criterion, left: tuple[str, Facts], right: tuple[str, Facts]) -> PairFinding:
    ours, theirs = left[1].get(criterion.key), right[1].get(criterion.key)
    if ours is None or theirs is None:
        equality = Equality.UNKNOWN
    else:
        equality = Equality.EQUAL if ours == theirs else Equality.DIFFERENT
    return PairFinding(
        criterion=criterion,
        left=left[0],
        right=right[0],
        equality=equality,
        left_fact=ours,
        right_fact=theirs,
    )
