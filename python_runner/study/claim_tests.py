"""The tests of claims: what has to be seen in a run for a claim to hold.

`lower` and `higher` speak of the figure itself, not of what is better: a lower TTFT is a faster
one, a higher TGR too. How far two figures lie apart is always the larger over the smaller:
0.1 means that the larger one is 10 % more than the smaller one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from python_runner.study.base import Frozen, PositiveInt

Metric = Literal[
    "e2e", "ttft", "tpot", "output_tokens_per_s", "decode_tokens_per_s", "output_tokens", "tgr"
]
Relative = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
Stack = Annotated[str, Field(min_length=1)]
Several = Annotated[tuple[Stack, ...], Field(min_length=1, strict=False)]


@dataclass(frozen=True, kw_only=True)
class PairRange:
    """What a claim says of two stacks: log(left / right) lies between `low` and `high`.

    An end of exactly 0 is open (lower means lower); infinite ends say nothing.
    """

    left: str
    right: str
    low: float = -math.inf
    high: float = math.inf

    @property
    def holds_zero(self) -> bool:
        """Whether the claim also holds if both are equal."""
        return self.low < 0 < self.high

    def swapped(self) -> PairRange:
        """The same, said of log(right / left)."""
        return PairRange(left=self.right, right=self.left, low=-self.high, high=-self.low)


def lower(
    left: str, right: str, at_least: float | None = None, at_most: float | None = None
) -> PairRange:
    """The left is lower than the right, by so much."""
    return PairRange(
        left=left,
        right=right,
        low=-math.log1p(at_most) if at_most else -math.inf,
        high=-math.log1p(at_least) if at_least else 0.0,
    )


class _Test(Frozen):
    says: str = Field("", description="this part of the sentence, where a claim has several parts")
    metric: Metric = Field("e2e", description="the figure; tgr: tokens/s over all users of a load")
    users: PositiveInt | None = Field(
        None, description="users of the load; left out: one request at a time, or every level"
    )
    models: tuple[str, ...] = Field(
        (),
        strict=False,
        description="parts of names of the models that this part is about; left out: those of the "
        "claim's scope",
    )

    @property
    def names(self) -> tuple[str, ...]:
        """The stacks of the claim file that it speaks of."""
        return tuple(dict.fromkeys(name for pair in self.ranges() for name in _both(pair)))

    def ranges(self) -> tuple[PairRange, ...]:
        """What it says of pairs of stacks; all of them have to hold."""
        return ()


class Compared(_Test):
    """One stack has a lower (higher) figure than another."""

    kind: Literal["lower", "higher"]
    left: Stack = Field(description="the stack that is lower (higher)")
    right: Stack = Field(description="the stack beside it")
    at_least: Relative | None = Field(None, description="how much at least: 0.5 for 50 %")
    at_most: Relative | None = Field(None, description="how much at most: `slightly` is 0.1, say")

    def ranges(self) -> tuple[PairRange, ...]:
        found = lower(self.left, self.right, self.at_least, self.at_most)
        if self.kind == "higher":
            found = lower(self.right, self.left, self.at_least, self.at_most).swapped()
        return (found,)

    @model_validator(mode="after")
    def _least_is_less(self) -> Compared:
        if self.at_least and self.at_most and self.at_least >= self.at_most:
            raise ValueError(f"at_least: {self.at_least} is not below at_most ({self.at_most})")
        return self


class Close(_Test):
    """Two stacks lie near each other."""

    kind: Literal["close"]
    left: Stack = Field(description="a stack")
    right: Stack = Field(description="the stack that is close to it")
    within: Relative = Field(description="how far apart they may be: 0.1 for 10 %")

    def ranges(self) -> tuple[PairRange, ...]:
        reach = math.log1p(self.within)
        return (PairRange(left=self.left, right=self.right, low=-reach, high=reach),)


class Extreme(_Test):
    """One stack has the lowest (highest) figure of all, or is among the lowest."""

    kind: Literal["lowest", "highest"]
    left: Stack = Field(description="the stack that is lowest (highest)")
    of: Several = Field(description="the others, without itself")
    within: Relative | None = Field(
        None, description="`among the lowest`: no other is lower by more than this"
    )

    def ranges(self) -> tuple[PairRange, ...]:
        high = math.log1p(self.within) if self.within else 0.0
        found = (PairRange(left=self.left, right=other, high=high) for other in self.of)
        if self.kind == "lowest":
            return tuple(found)
        return tuple(PairRange(left=pair.left, right=pair.right, low=-pair.high) for pair in found)

    @model_validator(mode="after")
    def _others_are_others(self) -> Extreme:
        if self.left in self.of:
            raise ValueError(f"of: {self.left} is the left one; name the others only")
        return self


class Order(_Test):
    """Stacks in the order of their figures."""

    kind: Literal["order"]
    stacks: Several = Field(description="the lowest figure first")

    def ranges(self) -> tuple[PairRange, ...]:
        return tuple(lower(first, second) for first, second in pairwise(self.stacks))


class InIterations(_Test):
    """One stack has the lower (higher) figure in most iterations, the k-th beside the k-th."""

    kind: Literal["in-iterations"]
    left: Stack = Field(description="the stack that is mostly lower (higher)")
    right: Stack = Field(description="the stack beside it")
    direction: Literal["lower", "higher"] = Field("lower", description="lower or higher")
    share: Share = Field(description="in which share of the iterations: 0.9 for nine of ten")

    def ranges(self) -> tuple[PairRange, ...]:
        found = lower(self.left, self.right)
        return (found if self.direction == "lower" else lower(self.right, self.left).swapped(),)


class Bound(_Test):
    """One stack's figure has a limit: a number, in ms, tokens or tokens/s."""

    kind: Literal["bound"]
    left: Stack = Field(description="the stack")
    at_least: Relative | None = Field(None, description="never below, in ms or tokens/s")
    at_most: Relative | None = Field(None, description="never above, in ms or tokens/s")
    over: Literal["every", "median"] = Field("every", description="every iteration, or the median")
    machine: str = Field(
        "", description="the machine that the number belongs to; left out: it holds on any"
    )
    cpu: str = Field("", description="part of the processor's name by which it is known again")

    @property
    def names(self) -> tuple[str, ...]:
        return (self.left,)

    @model_validator(mode="after")
    def _has_a_limit(self) -> Bound:
        if self.at_least is None and self.at_most is None:
            raise ValueError("at_least: give it, or at_most, or both")
        return self


class Rises(_Test):
    """One stack's figure rises from one number of users to a larger one."""

    kind: Literal["rises"]
    left: Stack = Field(description="the stack")
    from_users: PositiveInt = Field(description="users of the smaller load")
    users: PositiveInt = Field(description="users of the larger load")
    at_least: Relative = Field(description="by how much: 1 is twice as much")

    @property
    def names(self) -> tuple[str, ...]:
        return (self.left,)

    @model_validator(mode="after")
    def _users_rise(self) -> Rises:
        if self.from_users >= self.users:
            raise ValueError(f"from_users: {self.from_users} is not below users ({self.users})")
        return self


class Fails(_Test):
    """One stack ends before its time, or its requests fail, for such a reason."""

    kind: Literal["fails"]
    left: Stack = Field(description="the stack")
    words: str = Field("", description="what the reason says; left out: any reason will do")
    share: Share | None = Field(
        None, description="of its timed requests that fail so; left out: one is enough"
    )
    on: Literal["every", "some"] = Field(
        "every", description="every model of the scope, or some of them"
    )

    @property
    def names(self) -> tuple[str, ...]:
        return (self.left,)


class Untestable(_Test):
    """What a run cannot show; it stands in the file so that nothing is left out in silence."""

    kind: Literal["untestable"]
    why: str = Field(min_length=1, description="why no run can decide it, as a sentence")


class Cause(_Test):
    """What makes one stack higher than others: it goes if the cause is taken away.

    `without` is a variant of an engine, `engine@knob=value`, and `with_cause` the same engine with
    the cause. A cause that no variant can take away says so in `no_ablation`.
    """

    kind: Literal["cause"]
    left: Stack = Field(description="the stack that is higher")
    right: Several = Field(description="the stacks that it is higher than")
    with_cause: str | None = Field(None, min_length=1, description="engine with the cause")
    without: str | None = Field(
        None, min_length=1, description="the same engine without it, as ollama@gogc=off"
    )
    share: Share = Field(0.5, description="which share of the difference the cause has to explain")
    no_ablation: str = Field("", description="why no variant can test it, as a sentence")

    def ranges(self) -> tuple[PairRange, ...]:
        return tuple(lower(other, self.left).swapped() for other in self.right)

    @model_validator(mode="after")
    def _has_an_ablation_or_says_why_not(self) -> Cause:
        named = self.with_cause is not None and self.without is not None
        if named == bool(self.no_ablation) or (self.with_cause is None) != (self.without is None):
            raise ValueError("without: give it and with_cause, or say in no_ablation why not")
        return self


Test = Annotated[
    Compared | Close | Extreme | Order | InIterations | Bound | Rises | Fails | Untestable | Cause,
    Field(discriminator="kind"),
]


def _both(pair: PairRange) -> Iterator[str]:
    yield pair.left
    yield pair.right
