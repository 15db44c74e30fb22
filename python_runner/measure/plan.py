"""What is asked of every stack, prompt by prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from python_runner.measure.blocks import Block

PROMPT_TOKENS, PROMPT_IDS = "prompt-tokens", "prompt-ids"
"""Keys of the two criteria of `criteria` that each request is checked for again."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One prompt, rendered and tokenised by the workbench; `ids` starts with BOS."""

    text: str
    ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class PlannedRequest:
    """One request of a visit."""

    iteration: int
    """From 1, and going on over the visits to a stack; warm-up has a count of its own."""
    is_warmup: bool
    prompt: Prompt


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One loading of one stack, and what it is asked then: warm-up first."""

    block: int
    is_first: bool
    """Whether the stack is started for the first time in its run."""
    requests: tuple[PlannedRequest, ...]


@dataclass(frozen=True, kw_only=True)
class Done:
    """What an interrupted run has of one stack; by default nothing, as in a run that begins."""

    timed: Mapping[int, int] = field(default_factory=dict)
    """Timed iteration to the number of the block in which it was made."""
    warm_ups: int = 0
    """The highest number of a warm-up request."""
    kept: Mapping[int, int] = field(default_factory=dict)
    """Number of a block to its requests, warm-up among them."""
    is_begun: bool = False
    """Whether the stack has run, so that its condition is known."""

    def left(self, block: Block) -> tuple[int, ...]:
        """Timed iterations of a block that are still to be made."""
        timed = range(block.first, block.first + block.count)
        return tuple(number for number in timed if number not in self.timed)


NOTHING = Done()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The requests of one stack. All stacks of a study get the same plan.

    Each request has a prompt of its own, so a prompt cache finds nothing to reuse beyond what
    `prompt_cache` says.
    """

    warmup: int
    """Warm-up requests of the first visit."""
    warmup_again: int = 0
    """Warm-up requests of all later visits together, one for each."""
    prompts: tuple[Prompt, ...]
    """First those of `warmup`, then one for each timed iteration, then `warmup_again`."""
    new_tokens: int
    template: str
    sampling: str
    seed: int
    prompt_cache: str
    """How a prompt cache is kept from helping, for the record."""
    may_differ: frozenset[str] = frozenset()
    """Keys of the criteria in which stacks are allowed to differ."""
    may_end: bool = False
    """Whether the model may end an answer before `new_tokens`; else ends are ignored."""
    retries: int = 0
    """How often a start or a request that failed is tried again."""
    timeout_s: float = 600.0
    """For one request."""
    stall_timeout_s: float = 120.0
    """See `GenerateRequest`."""

    @property
    def checks_tokens(self) -> bool:
        """Whether a prompt that an engine reads as other tokens is another work."""
        return not self.may_differ & {PROMPT_TOKENS, PROMPT_IDS}

    @property
    def iterations(self) -> int:
        """Timed iterations that there are prompts for."""
        return len(self.prompts) - self.warmup - self.warmup_again

    def visit(self, block: Block, *, before: int, done: Done = NOTHING) -> Visit:
        """What a stack is asked in `block`, if `before` visits to it came before this one.

        A timed iteration has the same prompt for every stack.

        Args:
            block: of what it has, `done` is left out.
            before: visits since the run began, or since it went on: what a pause has cooled is
                warmed up as in the beginning.
            done: before the run was interrupted. Numbers of warm-up requests go on behind it.
        """
        return Visit(
            block=block.number,
            is_first=before == 0 and not done.is_begun,
            requests=(
                *(self.warm_up(number) for number in self._warm_ups(before, done.warm_ups)),
                *(self.timed(number) for number in done.left(block)),
            ),
        )

    def whole(self) -> Visit:
        """All timed iterations in one visit."""
        return self.visit(Block(number=1, first=1, count=self.iterations), before=0)

    def timed(self, number: int) -> PlannedRequest:
        """The timed iteration of that number, from 1."""
        prompt = self.prompts[self.warmup + number - 1]
        return PlannedRequest(iteration=number, is_warmup=False, prompt=prompt)

    def warm_up(self, number: int) -> PlannedRequest:
        """The warm-up request of that number, from 1.

        An interrupted run may need more of them than there are prompts. Those of the first visit
        are then asked again, of a process that has never seen them.
        """
        place = number - 1
        if number > self.warmup + self.warmup_again:
            place %= self.warmup
        elif number > self.warmup:
            place += self.iterations
        return PlannedRequest(iteration=number, is_warmup=True, prompt=self.prompts[place])

    def _warm_ups(self, before: int, done: int) -> range:
        """Numbers of the warm-up requests of a visit."""
        first = done + self.warmup + before
        if before == 0:
            return range(done + 1, first + 1)
        return range(first, first + (before <= self.warmup_again))
