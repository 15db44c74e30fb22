"""What ablations take, and which of them fit into the time that there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from python_runner.run.why.candidates import Candidate

AROUND_S = 4.0
"""Of each visit to a stack, besides loading and requests: starting, checking, stopping."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a stack took in the run that is to be explained."""

    load_s: float
    e2e_s: float
    """Median of a request."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """What every stack is asked, as it was in that run."""

    visits: int
    requests: int
    """Warm-up included, of all visits."""

    def seconds(self, figures: Figures, *, slower: float = 1.0) -> float:
        """Of one stack."""
        return self.visits * (figures.load_s + AROUND_S) + self.requests * figures.e2e_s * slower


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds of each stack of the ablations."""

    work: Work
    known: Mapping[str, Figures]
    """Stack to its figures in that run."""
    once: Callable[[str], float]
    """Seconds before a stack can run: to build it, and to make the weights that it reads."""

    def of(self, candidate: Candidate) -> dict[tuple[str, bool], float]:
        """Seconds of both stacks; keyed with whether prompts begin alike: that is another run."""
        asked = candidate.ablation
        begins_alike = candidate.cause.shares_prefix
        base = self.known.get(asked.right) or self.known[asked.left]
        return {
            (stack, begins_alike): self.once(stack)
            + self.work.seconds(self.known.get(stack, base), slower=slower)
            for stack, slower in (
                (asked.right, 1.0),
                (asked.left, 1.0 if asked.left in self.known else candidate.cause.slower),
            )
        }


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """One candidate, and the seconds that it adds."""

    candidate: Candidate
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is run, and what is left out."""

    taken: tuple[Chosen, ...]
    left_out: tuple[Chosen, ...]
    """With the seconds that each would add to what is taken."""

    @property
    def seconds(self) -> float:
        """Of all that is taken."""
        return sum(each.seconds for each in self.taken)


def choose(candidates: Sequence[Candidate], costs: Costs, budget_s: float) -> Choice:
    """Take the most telling ones that fit; a stack that several need is measured once.

    One that is too long does not keep shorter ones behind it out.
    """
    planned: set[tuple[str, bool]] = set()
    taken: list[Chosen] = []
    left_out: list[Candidate] = []
    spent = 0.0
    for candidate in candidates:
        added = _added(costs.of(candidate), planned)
        if spent + added <= budget_s:
            spent += added
            planned |= costs.of(candidate).keys()
            taken.append(Chosen(candidate=candidate, seconds=added))
        else:
            left_out.append(candidate)
    return Choice(
        taken=tuple(taken),
        left_out=tuple(
            Chosen(candidate=each, seconds=_added(costs.of(each), planned)) for each in left_out
        ),
    )


def stacks_of(candidates: Iterable[Candidate]) -> tuple[str, ...]:
    """Their stacks, each once, what is changed right after what it is held against."""
    names: list[str] = []
    for candidate in candidates:
        asked = candidate.ablation
        if asked.right not in names:
            names.append(asked.right)
        if asked.left not in names:
            names.insert(names.index(asked.right) + 1, asked.left)
    return tuple(names)


def _added(costs: Mapping[tuple[str, bool], float], planned: set[tuple[str, bool]]) -> float:
    return sum(seconds for stack, seconds in costs.items() if stack not in planned)
