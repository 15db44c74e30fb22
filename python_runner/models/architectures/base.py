"""What every architecture says of itself."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from python_runner.models.tokenizer.style import TokenizerStyle

EMBEDDING = "model.embed_tokens.weight"
FINAL_NORM = "model.norm.weight"
OUTPUT = "lm_head.weight"

Size = tuple[int, ...]


@dataclass(frozen=True)
class Normal:
    """Weights drawn from a normal distribution."""

    mean: float
    spread: float
    quiet_rows: int = 0
    """So many of the first rows are an eighth as large: pieces that shall not be said."""


@dataclass(frozen=True)
class Led:
    """A row for each piece of the vocabulary: from one piece to the one that follows it.

    The row of a piece is that of the piece `step` before it, in a stream of rows that the
    embedding and the output matrix share. So the output of a piece's own embedding is the
    piece that is `step` further.
    """

    spread: float
    step: int
    """0: the embedding itself."""
    silent: bool = False
    """Whether markers and bytes have rows of zeros; else they have those of the first pieces."""


Draw = Normal | Led
"""How the weights of a tensor come about that nobody trained."""


class Shape(BaseModel, ABC):
    """The dimensions of one model. Fields without a unit count elements."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    architecture: ClassVar[str]
    """As config.json names it in `model_type`."""
    tokenizer: ClassVar[TokenizerStyle]
    """Of the tokenizer that is made for weights that nobody trained."""

    vocabulary: PositiveInt
    hidden: PositiveInt
    intermediate: PositiveInt
    layers: PositiveInt
    heads: PositiveInt
    kv_heads: PositiveInt
    head: PositiveInt = Field(description="width of one head")
    context: PositiveInt = Field(description="most tokens, prompt and answer together")
    rope_theta: PositiveFloat
    norm_eps: PositiveFloat

    @property
    def parameters(self) -> int:
        """Number of weights; an output matrix that is tied to the embedding counts once."""
        return sum(math.prod(shape) for _, shape in self.tensors())

    @abstractmethod
    def tensors(self) -> Iterator[tuple[str, Size]]:
        """Name and shape of every tensor; matrices are (out, in)."""

    @abstractmethod
    def draw(self, name: str, size: Size) -> Draw:
        """How the tensor of that name and size is drawn, in a model that nobody trained."""

    @abstractmethod
    def config(self) -> dict[str, object]:
        """The content of config.json."""
