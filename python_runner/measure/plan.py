"""What is asked of every stack, prompt by prompt."""

from __future__ import annotations

from dataclasses import dataclass

PROMPT_TOKENS, PROMPT_IDS = "prompt-tokens", "prompt-ids"
"""Keys of the two criteria of `criteria` that each request is checked for again."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One prompt, rendered and tokenised by the workbench; `ids` starts with BOS."""

    text: str
    ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The requests of one stack, in order: `warmup` of them first, then the timed ones.

    All stacks of a study get the same plan. Each request has a prompt of its own, so a
    prompt cache finds nothing to reuse beyond what `prompt_cache` says.
    """

    warmup: int
    prompts: tuple[Prompt, ...]
    """One for each request: `warmup` + iterations."""
    new_tokens: int
    template: str
    sampling: str
    seed: int
    prompt_cache: str
    """How a prompt cache is kept from helping, for the record."""
    may_differ: frozenset[str] = frozenset()
    """Keys of the criteria in which stacks are allowed to differ."""

    @property
    def checks_tokens(self) -> bool:
        """Whether a prompt that an engine reads as other tokens is another work."""
        return not self.may_differ & {PROMPT_TOKENS, PROMPT_IDS}
