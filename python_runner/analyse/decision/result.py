"""What a decision says. Plain values: reports draw them and compute nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from python_runner.analyse.decision.constraints import Breach
from python_runner.analyse.decision.figures import Figure, StackFigures
from python_runner.analyse.decision.scale import Scale
from python_runner.analyse.decision.score import Rank, Total, Utility
from python_runner.analyse.decision.sensitivity import LatencySensitivity, WeightSensitivity
from python_runner.study.team import Team


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one criterion brings to one stack."""

    figure: Figure
    utility: Utility
    contribution: float
    """Share of all weights x utility: what of the total it is. Unknown: at the middle."""


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A stack that may be chosen."""

    stack: StackFigures
    total: Total
    rank: Rank
    parts: Mapping[str, Part]
    """By criterion, all of them."""
    dominated_by: tuple[str, ...]
    """Titles of stacks that are nowhere worse and somewhere better."""
    open_questions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Excluded:
    """A stack that breaks a constraint."""

    stack: StackFigures
    breaches: tuple[Breach, ...]
    parts: Mapping[str, Part]


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """Where no stack meets the targets: who comes nearest."""

    title: str
    reason: str
    miss: float
    """How many times too slow."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Which stack fits a team, as far as the data tell."""

    team: Team
    weights: Mapping[str, float]
    """By criterion; not normalised."""
    scales: Mapping[str, Scale | None]
    """By criterion: how a value becomes a utility; None: nothing is known."""
    ranked: tuple[Ranked, ...]
    """First to last by the middle of the ranges."""
    excluded: tuple[Excluded, ...]
    weight_turns: tuple[WeightSensitivity, ...]
    latency_turns: tuple[LatencySensitivity, ...]
    deciding: tuple[WeightSensitivity, ...]
    nearest: Nearest | None
    notes: tuple[str, ...]
    """What a reader must know before the ranking."""

    @property
    def tied(self) -> tuple[Ranked, ...]:
        """Stacks that may be first; more than one: the ranges do not separate them."""
        return tuple(one for one in self.ranked if one.rank.best == 1)

    @property
    def stacks(self) -> tuple[StackFigures, ...]:
        """All that were looked at: those that may be chosen first."""
        return (
            *(one.stack for one in self.ranked),
            *(one.stack for one in self.excluded),
        )

    @property
    def parts(self) -> Mapping[str, Mapping[str, Part]]:
        """By stack and criterion, of all stacks."""
        ranked = {one.stack.name: one.parts for one in self.ranked}
        return ranked | {one.stack.name: one.parts for one in self.excluded}

    @property
    def share(self) -> Mapping[str, float]:
        """Weights as shares of 1."""
        whole = sum(self.weights.values())
        return {key: weight / whole for key, weight in self.weights.items()}

    def title_of(self, name: str) -> str:
        """The title of a ranked stack."""
        return next(one.stack.title for one in self.ranked if one.stack.name == name)
