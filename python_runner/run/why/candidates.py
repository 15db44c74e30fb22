"""Which ablations can test a cause for the stacks of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from python_runner.common.errors import PolystackError, UnknownNameError
from python_runner.common.variants import StackName
from python_runner.engines.table import embedded_twins, engine
from python_runner.engines.variants import all_knobs
from python_runner.run.why.table import CAUSES, Cause, Seen, causes
from python_runner.study import Ablation


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One ablation that could be made."""

    cause: Cause
    ablation: Ablation
    turn: int
    """How many stacks came before this one for the same row: each question is put to one stack
    before any is put to a second."""

    @property
    def rank(self) -> tuple[int, int]:
        """The most telling first."""
        return self.turn, -self.cause.telling


def find_candidates(seen: Sequence[Seen], *, only: Sequence[str] = ()) -> list[Candidate]:
    """All ablations for these stacks, the most telling first.

    Args:
        seen: the stacks that gave figures.
        only: keys of causes; empty: all.

    Raises:
        UnknownNameError: there is no such cause.
    """
    for key in only:
        if key not in causes():
            raise UnknownNameError("cause", key, causes())
    found = [
        Candidate(cause=cause, ablation=ablation, turn=turn)
        for cause in CAUSES
        if not only or cause.key in only
        for turn, ablation in enumerate(_ablations(cause, seen))
    ]
    return sorted(found, key=lambda candidate: candidate.rank)


def _ablations(cause: Cause, seen: Sequence[Seen]) -> Iterator[Ablation]:
    pairs: set[tuple[StackName | str, ...]] = set()
    for stack in seen:
        made = _of_twins(cause, stack) if cause.turn is None else _of_knobs(cause, stack)
        if made is not None and (made.left, made.right) not in pairs:
            pairs.add((made.left, made.right))
            yield made


def _of_knobs(cause: Cause, stack: Seen) -> Ablation | None:
    assert cause.turn is not None
    knobs = cause.turn(stack)
    # What a variant has turned on purpose is not turned back behind its name.
    if not knobs or knobs.keys() & stack.name.knobs.keys() or not _has(stack.name, knobs):
        return None
    left = stack.name.turned(knobs)
    return _ablation(cause, str(left), str(stack.name), title=stack.title)


def _of_twins(cause: Cause, stack: Seen) -> Ablation | None:
    knobs = stack.name.knobs
    twins = embedded_twins()
    inside = {embedded: served for served, embedded in twins.items()}
    served = StackName(base=inside.get(stack.name.base, stack.name.base), knobs=knobs)
    embedded = StackName(base=twins.get(stack.name.base, stack.name.base), knobs=knobs)
    if served == embedded or not (_has(served, knobs) and _has(embedded, knobs)):
        return None
    return _ablation(
        cause, str(served), str(embedded), served=_title(served), embedded=_title(embedded)
    )


def _ablation(cause: Cause, left: str, right: str, **titles: str) -> Ablation:
    return Ablation(
        key=cause.key,
        question=cause.question,
        change=cause.change.format(**titles),
        left=left,
        right=right,
        metric=cause.metric,
        if_equal=cause.if_equal,
        if_not=cause.if_not,
    )


def _has(name: StackName, knobs: Mapping[str, str]) -> bool:
    """Whether the engine is there and its variant with these knobs as well."""
    try:
        base = engine(name.base)
        if not knobs.keys() <= all_knobs(base).keys():
            return False
        engine(str(name.turned(knobs)))
    except PolystackError:
        return False  # not of this version, a plug-in that is gone, or a value it does not take
    return True


def _title(name: StackName) -> str:
    return engine(str(name)).spec.title
