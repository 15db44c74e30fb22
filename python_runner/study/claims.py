"""The shape of a claim file: what somebody says about stacks, in a form that can be tested."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import combinations

from pydantic import Field, model_validator

from python_runner.study.base import Frozen
from python_runner.study.claim_tests import PairRange, Several, Test


class StackOfClaims(Frozen):
    """A stack as the claims name it, and the engines that may be measured for it."""

    title: str = Field(min_length=1, description="its name in sentences")
    engines: Several = Field(description="engines that are this stack; the first there is counts")
    stand_ins: tuple[str, ...] = Field(
        (),
        strict=False,
        description="engines that are measured in its place, and named as such, if it is not there",
    )


class Scope(Frozen):
    """Where a claim holds; outside of it a run decides nothing."""

    models: tuple[str, ...] = Field(
        (), strict=False, description="parts of names of models; left out: any model"
    )
    devices: tuple[str, ...] = Field((), strict=False, description="cpu, cuda; left out: any")
    hardware: str = Field(
        "", description="the machine that it takes, for whoever has none: not looked at"
    )


class Claim(Frozen):
    """One sentence and its tests. It holds if all of them do, and fails if one fails."""

    id: str = Field(pattern=r"^[A-Za-z0-9-]+$", description="short name, as 4 or gc")
    says: str = Field(min_length=1, description="the claim, in a sentence of our own")
    reading: str = Field("", description="what we take its words to mean: how much is slightly")
    scope: Scope = Field(default_factory=Scope)
    excludes: tuple[str, ...] = Field(
        (), strict=False, description="claims that cannot be true if this one is"
    )
    tests: tuple[Test, ...] = Field(
        min_length=1, max_length=26, strict=False, description="see docs/claims.md"
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The stacks that it speaks of."""
        return tuple(dict.fromkeys(name for test in self.tests for name in test.names))


class Claims(Frozen):
    """A claim file."""

    title: str = Field(min_length=1, description="who claims what, in a few words")
    source: str = Field(min_length=1, description="where it was said, when, about which model")
    stacks: dict[str, StackOfClaims] = Field(description="the stacks that the claims speak of")
    claims: tuple[Claim, ...] = Field(min_length=1, strict=False, description="the claims")

    @property
    def exclusions(self) -> tuple[tuple[str, str, str], ...]:
        """Pairs of claims that cannot both be true, and why. Declared ones, and those found."""
        return tuple(_exclusions(self.claims))

    @model_validator(mode="after")
    def _names_are_known(self) -> Claims:
        ids = [claim.id for claim in self.claims]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"claims: the id {', '.join(twice)} stands there twice")
        for claim in self.claims:
            where = f"claims.{claim.id}"
            _require(claim.names, self.stacks, f"{where}: no such stack", "[stacks]")
            _require(claim.excludes, ids, f"{where}.excludes: no such claim", "the file")
        return self


def _require(names: Iterable[str], known: Iterable[str], what: str, where: str) -> None:
    allowed = sorted(known)
    for name in names:
        if name not in allowed:
            close = get_close_matches(name, allowed, n=1)
            offer = f". Did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"{what}: {name!r}; {where} has {', '.join(allowed)}{offer}")


_Topic = tuple[str, int | None, tuple[str, ...]]
"""A figure, users, and the models that a part is about."""


def _exclusions(claims: Iterable[Claim]) -> Iterator[tuple[str, str, str]]:
    for first, second in combinations(claims, 2):
        if second.id in first.excludes or first.id in second.excludes:
            yield first.id, second.id, "their source or this file says so"
        elif _may_meet(first.scope, second.scope) and (clash := _clash(first, second)):
            left, right, metric = clash
            yield first.id, second.id, f"they contradict each other on {left}, {right} ({metric})"


def _may_meet(first: Scope, second: Scope) -> bool:
    """Whether a run can be in the scope of both."""
    models = not first.models or not second.models or set(first.models) & set(second.models)
    devices = not first.devices or not second.devices or set(first.devices) & set(second.devices)
    return bool(models) and bool(devices)


def _clash(first: Claim, second: Claim) -> tuple[str, str, str] | None:
    """Two stacks and a figure for which no ratio satisfies both claims."""
    mine, theirs = _said(first), _said(second)
    for (metric, users, models), ranges in mine.items():
        for (other_metric, other_users, other_models), others in theirs.items():
            meet = users is None or other_users is None or users == other_users
            meet = meet and (not models or not other_models or bool({*models} & {*other_models}))
            if metric != other_metric or not meet:
                continue
            for one in ranges:
                for other in (*others, *(pair.swapped() for pair in others)):
                    same = (one.left, one.right) == (other.left, other.right)
                    if same and max(one.low, other.low) >= min(one.high, other.high):
                        return one.left, one.right, metric
    return None


def _said(claim: Claim) -> Mapping[_Topic, tuple[PairRange, ...]]:
    found: dict[_Topic, tuple[PairRange, ...]] = {}
    for test in claim.tests:
        topic = (test.metric, test.users, test.models)
        found[topic] = (*found.get(topic, ()), *test.ranges())
    return found
