"""What is asked of every stack under load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from python_runner.engines.contract import GenerateRequest
from python_runner.engines.served.load_client import Sending
from python_runner.measure.load.level import Level
from python_runner.measure.plan import Prompt


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """The levels of each stack, in order. All stacks get the same plan."""

    levels: tuple[Level, ...]
    first: Prompt
    """Of the one request before the load."""
    prompts: tuple[tuple[Prompt, ...], ...]
    """Those of each level; the requests of a level take them in turn."""
    new_tokens: int
    template: str
    sampling: str
    seed: int
    prompt_cache: str
    """How a prompt cache is kept from helping, for the record."""
    timeout_s: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """May hold a key, so they are written nowhere."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What must not be kept even if a server repeats it."""
    ca_file: str | None = None
    checks_tokens: bool = True
    """Whether a prompt that an engine reads as other tokens is another work."""
    may_end: bool = False
    """Whether the model may end an answer before `new_tokens`; else ends are ignored."""

    keeps_answers: bool = False
    """Whether the texts of the answers are kept."""

    @property
    def sending(self) -> Sending:
        """What all requests share."""
        return Sending(
            headers=self.headers,
            timeout_s=self.timeout_s,
            ca_file=self.ca_file,
            keep_text=self.keeps_answers,
        )

    def request(self, prompt: Prompt) -> GenerateRequest:
        """The request for one prompt."""
        return GenerateRequest(
            prompt_text=prompt.text,
            prompt_ids=prompt.ids,
            new_tokens=self.new_tokens,
            seed=self.seed,
            ignore_end_of_sequence=not self.may_end,
            timeout_s=self.timeout_s,
        )
