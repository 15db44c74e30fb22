"""What an engine may have besides: it says how likely tokens are that it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, kw_only=True)
class ScoreRequest:
    """Tokens that are given, not generated: how likely is each after all that comes before it?"""

    prompt_ids: tuple[int, ...]
    """What they follow; never empty, and not scored itself."""
    answer_ids: tuple[int, ...]
    top: int = 2
    """How many of the best tokens of each place are wanted."""
    timeout_s: float = 600.0


@dataclass(frozen=True, kw_only=True)
class TokenScores:
    """What a model makes of the given tokens. Logarithms are natural; n given tokens.

    The best tokens of a place come best first, `top` of them; all of them follow the given
    tokens before that place, whether those were the best or not.
    """

    logprobs: tuple[float, ...]
    """Of the given tokens, shape (n,)."""
    top_ids: tuple[tuple[int, ...], ...]
    """Shape (n, top)."""
    top_logprobs: tuple[tuple[float, ...], ...]
    """Shape (n, top)."""


@runtime_checkable
class Scores(Protocol):
    """What a running engine has besides if it can score tokens."""

    def score(self, request: ScoreRequest) -> TokenScores:
        """Score tokens that are given. Not for timing: it may take its time.

        Raises GenerationError if it cannot, EngineCrashError if the process is gone.
        """
