"""What is asked of every stack, prompt by prompt."""

from __future__ import annotations

from dataclasses import dataclass

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

    def visit(self, block: Block, *, before: int) -> Visit:
        """What a stack is asked in `block`, if `before` visits to it came before this one.

        A timed iteration has the same prompt for every stack.
        """
        warm_up = self._warm_up(before)
        timed = range(block.first, block.first + block.count)
        return Visit(
            block=block.number,
            is_first=before == 0,
            requests=(
                *(self._request(at, number, is_warmup=True) for at, number in warm_up),
                *(self._request(self.warmup + n - 1, n, is_warmup=False) for n in timed),
            ),
        )

    def whole(self) -> Visit:
        """All timed iterations in one visit."""
        return self.visit(Block(number=1, first=1, count=self.iterations), before=0)

    def _warm_up(self, before: int) -> list[tuple[int, int]]:
        """Place among the prompts and number of each warm-up request of a visit."""
        if before == 0:
            return [(index, index + 1) for index in range(self.warmup)]
        if before > self.warmup_again:
            return []
        return [(self.warmup + self.iterations + before - 1, self.warmup + before)]

    def _request(self, place: int, iteration: int, *, is_warmup: bool) -> PlannedRequest:
        return PlannedRequest(iteration=iteration, is_warmup=is_warmup, prompt=self.prompts[place])
