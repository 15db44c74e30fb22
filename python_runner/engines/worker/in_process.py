"""What an embedded engine implements inside its worker process."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from python_runner.engines.contract import EngineDescription, GenerateRequest, Generation
from python_runner.engines.scoring import ScoreRequest, TokenScores


class InProcessModel(Protocol):
    """A model loaded into the current process by an engine that is a library.

    An embedded engine's file has a function `load(settings: LaunchSettings) -> InProcessModel`;
    the worker process imports it by name and calls it, so heavy libraries are imported there
    and nowhere else.
    """

    @property
    def description(self) -> EngineDescription: ...

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        """The engine's own tokenisation of `text`, BOS included; None if it gives none."""

    def generate(self, request: GenerateRequest) -> Generation:
        """Answer one request; no state of an earlier one may help (no prompt cache)."""

    def close(self) -> None:
        """Free the model."""


@runtime_checkable
class MeasuresStamps(Protocol):
    """What a model has besides if it can tell what stamping takes from it."""

    def stamp_cost_ns(self) -> float:
        """Nanoseconds a token, by many rounds of the very code that stamps tokens in `generate`."""


@runtime_checkable
class ScoresTokens(Protocol):
    """What a model has besides if it can say how likely given tokens are."""

    def score(self, request: ScoreRequest) -> TokenScores:
        """Score the answer's tokens, each after all before it."""
