"""What is judged, what is found, and who keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from python_runner.engines.scoring import TokenScores


class TokensFrom(StrEnum):
    """How the tokens of an answer are known."""

    ENGINE = "engine"
    """The engine told their ids."""
    SAME_TEXT = "same text"
    """It gave text, and an answer whose ids are known has the same text and as many tokens."""
    CUT = "cut"
    """It gave text, which was cut into as many tokens as the engine counts."""
    CUT_OTHERWISE = "cut otherwise"
    """It gave text, which was cut into another number of tokens than the engine counts: where
    one token ended and the next began in the engine is not known."""


@dataclass(frozen=True, kw_only=True)
class GivenAnswer:
    """An answer as an engine gave it."""

    sample_id: int
    text: str
    token_ids: tuple[int, ...] | None
    tokens: int
    """By the engine's own count."""


@dataclass(frozen=True, kw_only=True)
class ScoredAnswer:
    """An answer as the reference sees it. All sequences have one entry for each token."""

    sample_id: int
    token_ids: tuple[int, ...]
    tokens_from: TokensFrom
    scores: TokenScores
    """By the reference, each token after those that the engine itself had chosen before it."""
    greedy_ids: tuple[int, ...]
    """The reference's own greedy answer to the prompt, as far as this answer goes."""


@dataclass(frozen=True, kw_only=True)
class UnreadAnswer:
    """An answer that cannot be judged."""

    sample_id: int
    reason: str


Verdictable = ScoredAnswer | UnreadAnswer


@dataclass(frozen=True, kw_only=True)
class PassageScore:
    """How likely one engine finds the fixed text."""

    logprobs: tuple[float, ...]
    """Of each token of the passage after the first; empty if it could not be scored."""
    error: str = ""
    """Why it could not."""


class AnswerRecorder(Protocol):
    """Keeps what is found. When a call returns, its data are safe on disk."""

    def answer(self, found: Verdictable) -> None:
        """An answer has been scored, or cannot be."""

    def passage(self, condition_id: int | None, score: PassageScore) -> None:
        """The fixed text has been scored by a stack; None: by the reference."""

    def finish(self, error: str) -> None:
        """All is done; `error` says why, if it was before its time."""
