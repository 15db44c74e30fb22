"""Who stands for whom: the stacks that claims speak of, found among those that were measured."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from python_runner.analyse.latency import Outcome, request_metrics
from python_runner.engines.contract import WEIGHTS_IN_MEMORY, Reach
from python_runner.study.claims import Claims, StackOfClaims


@dataclass(frozen=True, kw_only=True)
class Actor:
    """One condition of the run, measured for a stack of the claims."""

    condition_id: int
    engine: str
    title: str
    reach: str
    device: str
    weights: str
    """What its weights were held in; empty where it did not say."""
    stands_in_for: str = ""
    """The stack in whose place it was measured; empty: it is that stack."""
    struck_out: str = ""
    """Why its speed does not count; empty: it does."""


@dataclass(frozen=True, kw_only=True)
class Absent:
    """A stack that the run says nothing about."""

    why: str
    engine: str
    """What to run."""


@dataclass(frozen=True, kw_only=True)
class Cast:
    """The actors of a run, by the claims' names and by the engines' own."""

    by_stack: Mapping[str, Actor | Absent]
    by_engine: Mapping[str, Actor]


def answered(samples: pd.DataFrame) -> set[int]:
    """The conditions that have a complete timed request."""
    measured = request_metrics(samples)
    is_used = (measured["outcome"] == Outcome.COMPLETE.value) & ~measured["is_warmup"].astype(bool)
    return {int(one) for one in measured.loc[is_used, "condition_id"]}


def cast(
    claims: Claims,
    complete: Collection[int],
    conditions: pd.DataFrame,
    struck_out: Mapping[int, str],
    buildable: Collection[str] = (),
) -> Cast:
    """Find an actor for each stack: its own engines first, in order, then stand-ins.

    Only `complete` conditions can act, those with at least one complete answer. A reason why a
    speed does not count comes from `struck_out` or from the column `struck` of the conditions.
    Where a stack was not run, the first of its engines and stand-ins that is `buildable` is what
    to run.
    """
    records = {str(row["stack"]): row for row in conditions.to_dict(orient="records")}
    by_engine = {
        name: _actor(row, struck_out)
        for name, row in records.items()
        if row["condition_id"] in complete
    }
    found = {
        name: _find(stack, by_engine) or _absent(stack, records, buildable)
        for name, stack in claims.stacks.items()
    }
    return Cast(by_stack=found, by_engine=by_engine)


def _actor(row: Mapping[Any, Any], struck_out: Mapping[int, str]) -> Actor:
    build = row.get("build")
    return Actor(
        condition_id=int(row["condition_id"]),
        engine=str(row["stack"]),
        title=str(row["title"]),
        reach=str(row["reach"]),
        device=str(row["device"]),
        weights=str(build.get(WEIGHTS_IN_MEMORY, "")) if isinstance(build, Mapping) else "",
        struck_out=struck_out.get(int(row["condition_id"])) or _text(row.get("struck")),
    )


def _text(value: object) -> str:
    """An empty place of a column of texts is None or NaN, by the version of pandas."""
    return value if isinstance(value, str) else ""


def _find(stack: StackOfClaims, by_engine: Mapping[str, Actor]) -> Actor | None:
    for name in stack.engines:
        if name in by_engine:
            return by_engine[name]
    for name in stack.stand_ins:
        if name in by_engine:
            return replace(by_engine[name], stands_in_for=stack.title)
    return None


def _absent(
    stack: StackOfClaims, records: Mapping[str, Mapping[Any, Any]], buildable: Collection[str]
) -> Absent:
    names = (*stack.engines, *stack.stand_ins)
    tried = [name for name in names if name in records]
    reason = next((str(records[name]["error"]) for name in tried if records[name]["error"]), "")
    if tried:
        return Absent(why=f"{tried[0]} gave no result ({reason or 'no reason'})", engine=tried[0])
    offered = next((name for name in names if name in buildable), names[0])
    return Absent(why=f"{stack.title} was not run", engine=offered)


def marks_of(actors: list[Actor]) -> tuple[str, ...]:
    """What changes how a difference between these may be read."""
    found = [
        f"judged for a stand-in: {actor.title} in place of {actor.stands_in_for}"
        for actor in actors
        if actor.stands_in_for
    ]
    if len({actor.reach for actor in actors}) > 1:
        served = ", ".join(actor.title for actor in actors if actor.reach == Reach.SERVED)
        found.append(f"HTTP is part of the difference, on the side of {served} only")
    if len({actor.weights for actor in actors if actor.weights}) > 1:
        sides = _grouped((actor.weights, actor.title) for actor in actors if actor.weights)
        found.append(f"weights in memory differ: {sides}")
    return tuple(dict.fromkeys(found))


def _grouped(pairs: Iterable[tuple[str, str]]) -> str:
    """`served: a, b; embedded: c`."""
    groups: dict[str, list[str]] = {}
    for key, title in pairs:
        groups.setdefault(key, []).append(title)
    return "; ".join(f"{key}: {', '.join(titles)}" for key, titles in groups.items())
