"""Judge all claims of a file by one run."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from python_runner.analyse.claims.apart import RunFrames
from python_runner.analyse.claims.case import Case, removal_of
from python_runner.analyse.claims.cast import Absent, Actor, Cast, answered, cast, marks_of
from python_runner.analyse.claims.causes import Removal, judge_cause
from python_runner.analyse.claims.counts import judge_bound, judge_iterations
from python_runner.analyse.claims.evidence import COLUMNS, Compared, Wanted, compare_all
from python_runner.analyse.claims.fails import judge_fails
from python_runner.analyse.claims.levels import (
    judge_at_levels,
    judge_load_bound,
    judge_rise,
    wanted_of_load,
)
from python_runner.analyse.claims.loads import MEASURED_ONCE, LoadEvidence
from python_runner.analyse.claims.ranges import judge_range
from python_runner.analyse.claims.result import (
    ClaimJudgement,
    Finding,
    Part,
    RunJudgement,
    worst,
)
from python_runner.analyse.claims.scope import out_of_scope
from python_runner.analyse.compare.permutation import RESAMPLES
from python_runner.study.claim_tests import (
    Bound,
    Cause,
    Fails,
    InIterations,
    PairRange,
    Rises,
    Test,
    Untestable,
)
from python_runner.study.claims import Claim, Claims, StackOfClaims


def judge_claims(
    claims: Claims,
    frames: RunFrames,
    *,
    ablations: Sequence[RunFrames] = (),
    struck_out: Mapping[int, str] | None = None,
    marks: Sequence[str] = (),
    buildable: Collection[str] = (),
    resamples: int = RESAMPLES,
) -> RunJudgement:
    """Give a verdict on each claim, under the conditions of this run and no others.

    All comparisons that the claims ask for, of all figures, are one family for Holm's
    correction.

    Args:
        claims: the claim file.
        frames: the run.
        ablations: other runs, in which a cause was taken away. One counts where it was made on
            the same machine, with the same model and settings; its figures are never mixed with
            the run's own: a difference of one is held against a difference of the other.
        struck_out: condition_id to the reason why its speed does not count, as wrong answers.
            What needs it is inconclusive.
        marks: what holds for every verdict of this run, besides what the run itself says was
            not equal and allowed to be (`allowed_unfair` of its row).
        buildable: engines that can be had here; they are offered first where a stack lacks.
        resamples: shufflings of each permutation test.
    """
    load = LoadEvidence.of(frames)
    complete = load.complete if frames.is_load else answered(frames.samples)
    found = cast(claims, complete, frames.conditions, struck_out or {}, buildable)
    wanted: set[Wanted] = set() if frames.is_load else set(_wanted(claims, found))
    case = Case(
        frames=frames,
        cast=found,
        compared=compare_all(frames.samples, frames.conditions, wanted, resamples=resamples),
        load=load,
        at_levels=load.compare(wanted_of_load(claims, found, load), resamples=resamples),
        ablations=ablations,
        resamples=resamples,
    )
    judged = tuple(_claim(claim, case, claims.stacks) for claim in claims.claims)
    findings = [part.finding for one in judged for part in one.parts]
    missing = (engine for finding in findings for engine in finding.missing)
    return RunJudgement(
        run_id=frames.run_id,
        study=str(frames.run["study"]),
        claims=claims,
        judged=judged,
        stacks={
            name: actor.title for name, actor in found.by_stack.items() if isinstance(actor, Actor)
        },
        marks=(*frames.allowed(), *((MEASURED_ONCE,) if frames.is_load else ()), *marks),
        missing=tuple(dict.fromkeys(missing)),
        users=tuple(sorted({users for finding in findings for users in finding.users})),
        seconds=max((finding.seconds for finding in findings), default=0.0),
        conditions=frames.facts(),
    )


def _wanted(claims: Claims, found: Cast) -> Iterator[Wanted]:
    for claim in claims.claims:
        for test in claim.tests:
            if test.metric not in COLUMNS or test.users:
                continue
            for said in test.ranges():
                pair = (found.by_stack[said.left], found.by_stack[said.right])
                yield from _pair(test.metric, *pair)
            if isinstance(test, Cause):
                names = (str(test.with_cause), str(test.without))
                yield from _pair(test.metric, *(found.by_engine.get(name) for name in names))


def _pair(
    metric: str, left: Actor | Absent | None, right: Actor | Absent | None
) -> Iterator[Wanted]:
    if not isinstance(left, Actor) or not isinstance(right, Actor):
        return
    if left.condition_id != right.condition_id:
        yield metric, left.condition_id, right.condition_id


def _claim(claim: Claim, case: Case, stacks: Mapping[str, StackOfClaims]) -> ClaimJudgement:
    lack = ""
    if case.frames.is_load and not case.load.levels:
        lack = "this load has no level with a number of users, and only those are judged"
    parts = []
    for test in claim.tests:
        if outside := out_of_scope(claim, test, stacks, case.frames):
            finding = replace(Finding.unknown(outside), is_out_of_scope=True)
        else:
            finding = Finding.unknown(lack) if lack else _test(test, case, stacks)
        parts.append(Part(says=test.says or claim.says, finding=finding))
    return ClaimJudgement(claim=claim, parts=tuple(parts))


def _test(test: Test, case: Case, stacks: Mapping[str, StackOfClaims]) -> Finding:
    if isinstance(test, Untestable):
        return Finding.unknown(test.why)
    if not case.frames.is_load and (test.metric not in COLUMNS or test.users):
        users = f"{test.users} users" if test.users else "many users"
        why = f"it is about {users} at once, and this run asks one by one (`polystack load` does)"
        return Finding.unknown(why)
    if isinstance(test, Fails):
        return judge_fails(test, stacks[test.left], case.frames)
    actors, absent = case.actors(test.names)
    for actor in actors:
        if actor.struck_out:
            return Finding.unknown(f"{actor.title} is struck out: {actor.struck_out}")
    if len({actor.device for actor in actors}) > 1:
        return Finding.unknown("its stacks ran on different devices, which are not compared")
    judge = _at_levels if case.frames.is_load else _measured
    finding = judge(test, case, actors, absent)
    return replace(finding, marks=(*finding.marks, *marks_of(actors)))


def _at_levels(
    test: Test, case: Case, actors: Sequence[Actor], absent: Sequence[Absent]
) -> Finding:
    if isinstance(test, Rises):
        if absent:
            return _not_run(absent)
        return judge_rise(test, actors[0], case.load, case.at_levels)
    return judge_at_levels(
        test, actors, case.load, lambda users: _measured(test, case.at(users), actors, absent)
    )


def _measured(test: Test, case: Case, actors: Sequence[Actor], absent: Sequence[Absent]) -> Finding:
    if isinstance(test, Bound):
        return _not_run(absent) if absent else _bound(test, case, actors[0])
    if isinstance(test, Cause):
        return _cause(test, case, absent)
    if isinstance(test, InIterations):
        seen = case.pair(test.metric, test.ranges()[0])
        if seen is None:
            return _not_run(absent)
        return judge_iterations(test, (actors[0], actors[1]), seen, case.frames.samples)
    return _pairs(test, case, absent)


def _bound(test: Bound, case: Case, actor: Actor) -> Finding:
    if case.users is None:
        return judge_bound(test, actor, case.frames.samples, case.frames.host)
    cpu = str(case.frames.host.get("cpu", ""))
    return judge_load_bound(test, actor, case.load, case.users, cpu)


def _not_run(absent: Sequence[Absent]) -> Finding:
    reasons = "; ".join(one.why for one in absent)
    return Finding.unknown(reasons, missing=[one.engine for one in absent])


def _pairs(test: Test, case: Case, absent: Sequence[Absent]) -> Finding:
    """Every pair has to hold; a missing stack leaves it open, unless another pair refutes it."""
    pairs = [(said, case.pair(test.metric, said)) for said in test.ranges()]
    found = [(judge_range(said, seen), _for_it(said, seen)) for said, seen in pairs if seen]
    if absent:
        found.append((_not_run(absent), math.inf))
    if not found:
        return Finding.unknown("one stack was measured for both sides, and has nothing beside it")
    verdict = worst(finding.verdict for finding, _ in found)
    deciding = [one for one in found if one[0].verdict is verdict]
    # What speaks least for the claim decides: the pair that refutes it most, or holds it barely.
    return min(deciding, key=lambda one: one[1])[0]


def _for_it(said: PairRange, seen: Compared) -> float:
    """How far a ratio lies on the side of the claim; comparable within one claim."""
    if math.isnan(seen.effect):
        return math.inf
    if said.holds_zero and math.isfinite(said.low) and math.isfinite(said.high):
        return -abs(seen.effect)
    return -seen.effect if math.isinf(said.low) or said.high <= 0 else seen.effect


def _cause(test: Cause, case: Case, absent: Sequence[Absent]) -> Finding:
    gaps = [case.pair(test.metric, said) for said in test.ranges()]
    known = [gap for gap in gaps if gap is not None]
    removal = Removal(seen=None) if test.no_ablation else removal_of(test, case)
    if len(known) < len(gaps) and removal.seen is not None:
        return _not_run(absent)
    if len(known) < len(gaps):
        lack = test.no_ablation or f"{removal.lack}; {_not_run(absent).why}"
        engines = (*removal.missing, *(one.engine for one in absent))
        return Finding.unknown(lack, missing=() if test.no_ablation else engines)
    finding = judge_cause(test, known, removal)
    base = case.cast.by_stack[test.left]
    if isinstance(base, Actor) and test.with_cause and base.engine != test.with_cause:
        mark = f"the difference is that of {base.title}, the ablation that of {test.with_cause}"
        finding = replace(finding, marks=(*finding.marks, mark))
    if removal.lack and removal.seen is not None:
        finding = replace(finding, marks=(*finding.marks, removal.lack))
    return finding
