"""A run as the tests of claims see it: who acts, and what was compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from python_runner.analyse.claims.apart import RunFrames, differences
from python_runner.analyse.claims.cast import Absent, Actor, Cast
from python_runner.analyse.claims.causes import Removal
from python_runner.analyse.claims.evidence import Compared, Wanted, compare_all
from python_runner.analyse.claims.loads import LoadEvidence
from python_runner.analyse.claims.loads import Wanted as WantedLevels
from python_runner.study.claim_tests import Cause, PairRange


@dataclass(frozen=True, kw_only=True)
class Case:
    """A run, or one level of a load."""

    frames: RunFrames
    cast: Cast
    compared: Mapping[Wanted, Compared]
    load: LoadEvidence
    at_levels: Mapping[WantedLevels, Compared]
    ablations: Sequence[RunFrames]
    resamples: int
    users: int | None = None
    """The level of a load that is looked at; None: single requests, or the load as a whole."""

    def at(self, users: int) -> Case:
        """One level of a load."""
        mine = {
            (metric, left[0], right[0]): compared
            for (metric, left, right), compared in self.at_levels.items()
            if left[1] == right[1] == users
        }
        return replace(self, compared=mine, users=users)

    def actors(self, names: Sequence[str]) -> tuple[list[Actor], list[Absent]]:
        found = [self.cast.by_stack[name] for name in names]
        return (
            [one for one in found if isinstance(one, Actor)],
            [one for one in found if isinstance(one, Absent)],
        )

    def pair(self, metric: str, said: PairRange) -> Compared | None:
        """Both sides of a claim about two stacks; None if one of them was not measured."""
        actors, absent = self.actors([said.left, said.right])
        if absent or actors[0].condition_id == actors[1].condition_id:
            return None
        return self.compared[metric, actors[0].condition_id, actors[1].condition_id]


def removal_of(test: Cause, case: Case) -> Removal:
    """The ablation of this run, else of one that was made under the same conditions."""
    names = (str(test.with_cause), str(test.without))
    here = [case.cast.by_engine.get(name) for name in names]
    if here[0] is not None and here[1] is not None:
        wanted = (test.metric, here[0].condition_id, here[1].condition_id)
        if wanted in case.compared:
            return Removal(seen=case.compared[wanted])
    apart = []
    for other in case.ablations:
        ids = other.conditions.set_index("stack")["condition_id"]
        if not set(names) <= set(ids.index):
            continue
        if differs := differences(case.frames, other):
            apart.append(f"run {other.run_id} has another {', '.join(differs)}")
            continue
        seen = _removed_elsewhere(test, case, other, (int(ids[names[0]]), int(ids[names[1]])))
        if seen is None:
            continue
        return Removal(seen=seen, lack=f"the ablation is that of run {other.run_id}")
    lack = f"needs its ablation: {names[0]} beside {names[1]}"
    engines = tuple(name for name in names if name not in case.cast.by_engine)
    return Removal(seen=None, lack="; ".join([lack, *apart]), missing=engines)


def _removed_elsewhere(
    test: Cause, case: Case, other: RunFrames, pair: tuple[int, int]
) -> Compared | None:
    """The ablation of another run, at the same number of users; None if it has none of that."""
    if other.is_load != case.frames.is_load:
        return None
    if case.users is None:
        wanted = (test.metric, *pair)
        return compare_all(other.samples, other.conditions, [wanted], resamples=case.resamples)[
            wanted
        ]
    places = ((pair[0], case.users), (pair[1], case.users))
    load = LoadEvidence.of(other)
    if not set(places) <= load.levels.keys():
        return None
    asked = (test.metric, *places)
    return load.compare([asked], resamples=case.resamples)[asked]
