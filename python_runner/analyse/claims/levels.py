"""Claims held against a load: at the number of users that they name, or at every one.

Each level is a case of its own; where a claim names no number of users it has to hold at each
that its stacks have in common, and one that refutes it is enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from python_runner.analyse.claims.cast import Absent, Actor, Cast
from python_runner.analyse.claims.counts import judge_extent
from python_runner.analyse.claims.evidence import Compared
from python_runner.analyse.claims.loads import METRICS, TGR, LoadEvidence, Place, Wanted
from python_runner.analyse.claims.ranges import judge_range
from python_runner.analyse.claims.result import ClaimVerdict, Finding, worst
from python_runner.study.claim_tests import Bound, Cause, InIterations, PairRange, Rises, Test
from python_runner.study.claims import Claims

JudgeLevel = Callable[[int], Finding]
"""What a test says at so many users."""


def wanted_of_load(claims: Claims, found: Cast, evidence: LoadEvidence) -> Iterator[Wanted]:
    """Every comparison of levels that the claims ask for."""
    for claim in claims.claims:
        for test in claim.tests:
            if test.metric not in (*METRICS, TGR):
                continue
            if isinstance(test, Rises):
                yield from _of_rise(test, found, evidence)
                continue
            for left, right in _pairs_of(test, found):
                both = evidence.users_of([left.condition_id, right.condition_id])
                for users in both:
                    if test.users in (None, users) and left.condition_id != right.condition_id:
                        places = ((left.condition_id, users), (right.condition_id, users))
                        yield test.metric, *places


def _pairs_of(test: Test, found: Cast) -> Iterator[tuple[Actor, Actor]]:
    named = [(found.by_stack[said.left], found.by_stack[said.right]) for said in test.ranges()]
    if isinstance(test, Cause):
        engines = [found.by_engine.get(str(name)) for name in (test.with_cause, test.without)]
        named += [(engines[0] or _NOBODY, engines[1] or _NOBODY)]
    for left, right in named:
        if isinstance(left, Actor) and isinstance(right, Actor):
            yield left, right


_NOBODY = Absent(why="", engine="")


def _of_rise(test: Rises, found: Cast, evidence: LoadEvidence) -> Iterator[Wanted]:
    actor = found.by_stack[test.left]
    if not isinstance(actor, Actor):
        return
    high, low = ((actor.condition_id, users) for users in (test.users, test.from_users))
    if high in evidence.levels and low in evidence.levels:
        yield test.metric, high, low


def judge_at_levels(
    test: Test, actors: Sequence[Actor], evidence: LoadEvidence, judge_level: JudgeLevel
) -> Finding:
    """Judge a test at each of its levels; what speaks least for it decides.

    Args:
        test: neither a `Rises` nor about single iterations.
        actors: those of its stacks that were measured.
        evidence: the load.
        judge_level: judges it at one number of users.
    """
    if isinstance(test, InIterations):
        return Finding.unknown(
            "iterations stand beside each other where requests come one by one (polystack compare)"
        )
    common = evidence.users_of([actor.condition_id for actor in actors])
    chosen = [users for users in common if test.users in (None, users)]
    if not chosen and actors:
        return _no_such_level(test, evidence, actors)
    findings = [
        _with_needs(
            judge_level(users),
            evidence,
            [(actor.condition_id, users) for actor in actors],
            test.metric,
        )
        for users in chosen
    ] or [judge_level(test.users or 1)]
    verdict = worst(finding.verdict for finding in findings)
    return next(finding for finding in findings if finding.verdict is verdict)


def _no_such_level(test: Test, evidence: LoadEvidence, actors: Sequence[Actor]) -> Finding:
    if test.users is None:
        return Finding.unknown("its stacks have no number of users in common")
    without = [
        actor.title for actor in actors if (actor.condition_id, test.users) not in evidence.levels
    ]
    why = f"no load of {test.users} users was put on {', '.join(without)}"
    return replace(Finding.unknown(why), users=(test.users,))


def _with_needs(
    finding: Finding, evidence: LoadEvidence, places: Sequence[Place], metric: str
) -> Finding:
    """What its figures rest on, and what would have to be run where they are too few."""
    marks = tuple(text for place in places if (text := evidence.failed(place)))
    seconds = 0.0
    if finding.verdict is ClaimVerdict.INCONCLUSIVE:
        seconds = max((evidence.seconds(place, metric) for place in places), default=0.0)
    return replace(finding, marks=(*finding.marks, *marks), seconds=seconds)


def judge_load_bound(
    test: Bound, actor: Actor, evidence: LoadEvidence, users: int, cpu: str
) -> Finding:
    """A limit on every request of the steady part, on their median, or on TGR."""
    effect = evidence.extent((actor.condition_id, users), test.metric, test.over)
    if isinstance(effect, str):
        return Finding.unknown(effect)
    is_one_figure = test.metric == TGR
    return judge_extent(test, effect, cpu, is_range=test.over == "every" and not is_one_figure)


def judge_rise(
    test: Rises, actor: Actor, evidence: LoadEvidence, compared: Mapping[Wanted, Compared]
) -> Finding:
    """From one number of users to a larger one, the stack beside itself."""
    places = [(actor.condition_id, users) for users in (test.users, test.from_users)]
    missing = [users for condition, users in places if (condition, users) not in evidence.levels]
    if missing:
        lacking = " and ".join(str(users) for users in sorted(missing))
        why = f"no load of {lacking} users was put on {actor.title}"
        return replace(Finding.unknown(why), users=(test.from_users, test.users))
    # log(figure at more users / at fewer)
    said = PairRange(left=test.left, right=test.left, low=math.log1p(test.at_least))
    finding = judge_range(said, compared[test.metric, places[0], places[1]])
    return _with_needs(finding, evidence, places, test.metric)
