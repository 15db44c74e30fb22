"""Llama's architecture, and what Mistral's and Qwen2's share with it.

RMSNorm before attention and before the feed-forward layer, rotary positions, SiLU, an output
matrix of its own, no biases. Llama-2, 3 and 3.1 differ in their dimensions, in `rope_theta`,
and 3.1 in how it stretches the positions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

from python_runner.models.architectures.base import (
    EMBEDDING,
    FINAL_NORM,
    OUTPUT,
    Draw,
    Led,
    Normal,
    Shape,
    Size,
)
from python_runner.models.tokenizer.style import TokenizerStyle
from python_runner.models.tokenizer.vocabulary import (
    BOS_ID,
    END_OF_TURN_ID,
    EOS_ID,
    FIRST_PIECE_ID,
)

_LEAD = 20.0
"""About by how much the logit of the piece that follows stands out, where the layers add nothing.
All the others have a width of `_LEAD / sqrt(hidden)`."""
_NORM_SPREAD = 0.02
_BIAS_SPREAD = 0.5
_INTO_THE_STREAM = ("o_proj.weight", "down_proj.weight")
_OF_SCORES = ("q_proj.weight", "k_proj.weight")
_SCORE_GAIN = 2.0
"""Attention scores get a width of its square: wide enough that it matters where a token stands."""


class RopeScaling(BaseModel):
    """How Llama-3.1 stretches the positions; config.json calls it `llama3`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    factor: PositiveFloat
    low_freq_factor: PositiveFloat
    high_freq_factor: PositiveFloat
    original_context: PositiveInt
    """Tokens that it was first trained on."""

    def config(self) -> dict[str, object]:
        """As config.json has it."""
        return {
            "rope_type": "llama3",
            "factor": self.factor,
            "low_freq_factor": self.low_freq_factor,
            "high_freq_factor": self.high_freq_factor,
            "original_max_position_embeddings": self.original_context,
        }


class LlamaShape(Shape):
    """The dimensions of one Llama model, of the second generation or a later one."""

    architecture: ClassVar[str] = "llama"
    tokenizer: ClassVar[TokenizerStyle] = TokenizerStyle()
    class_name: ClassVar[str] = "LlamaForCausalLM"
    has_biases: ClassVar[bool] = False
    """Whether queries, keys and values have biases."""

    rope_scaling: RopeScaling | None = None

    def tensors(self) -> Iterator[tuple[str, Size]]:
        """As `Shape` has it. The output has a matrix of its own."""
        yield EMBEDDING, (self.vocabulary, self.hidden)
        for layer in range(self.layers):
            for name, shape in self._layer_tensors():
                yield f"model.layers.{layer}.{name}", shape
        yield FINAL_NORM, (self.hidden,)
        yield OUTPUT, (self.vocabulary, self.hidden)

    def _layer_tensors(self) -> Iterator[tuple[str, Size]]:
        queries, keys = self.heads * self.head, self.kv_heads * self.head
        yield "input_layernorm.weight", (self.hidden,)
        for part, width in (("q", queries), ("k", keys), ("v", keys)):
            yield f"self_attn.{part}_proj.weight", (width, self.hidden)
            if self.has_biases:
                yield f"self_attn.{part}_proj.bias", (width,)
        yield "self_attn.o_proj.weight", (self.hidden, queries)
        yield "post_attention_layernorm.weight", (self.hidden,)
        yield "mlp.gate_proj.weight", (self.intermediate, self.hidden)
        yield "mlp.up_proj.weight", (self.intermediate, self.hidden)
        yield "mlp.down_proj.weight", (self.hidden, self.intermediate)

    def draw(self, name: str, size: Size) -> Draw:
        """As `Shape` has it.

        Every piece leads to one other, and what the layers add moves all logits without
        making any two of the best nearly equal: so engines that compute the same say the same.
        """
        if name == EMBEDDING:
            return Led(1.0, step=0)
        if name == OUTPUT:
            return Led(_LEAD / self.hidden, step=self.step, silent=True)
        if name.endswith("norm.weight"):
            return Normal(1.0, _NORM_SPREAD)
        if name.endswith(".bias"):
            return Normal(0.0, _BIAS_SPREAD)
        spread = 1 / math.sqrt(size[-1])
        if name.endswith(_INTO_THE_STREAM):
            # However many layers there are, together they add as much as the embedding is.
            spread /= math.sqrt(2 * self.layers)
        if name.endswith(_OF_SCORES):
            spread *= _SCORE_GAIN
        return Normal(0.0, spread)

    @property
    def step(self) -> int:
        """From a piece to the one that it leads to; no piece comes again before all have come."""
        pieces = self.vocabulary - FIRST_PIECE_ID
        return next(n for n in range(max(1, pieces // 3), pieces) if math.gcd(n, pieces) == 1)

    def config(self) -> dict[str, object]:
        """As `Shape` has it."""
        scaling = self.rope_scaling.config() if self.rope_scaling else None
        return {
            "architectures": [self.class_name],
            "model_type": self.architecture,
            "dtype": "bfloat16",
            "torch_dtype": "bfloat16",
            "vocab_size": self.vocabulary,
            "hidden_size": self.hidden,
            "intermediate_size": self.intermediate,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head,
            "max_position_embeddings": self.context,
            "hidden_act": "silu",
            # transformers writes the last of these three, mistral.rs reads the first two.
            "rope_theta": self.rope_theta,
            "rope_scaling": scaling,
            "rope_parameters": {
                **(scaling or {"rope_type": "default"}),
                "rope_theta": self.rope_theta,
            },
            "rms_norm_eps": self.norm_eps,
            "attention_dropout": 0.0,
            "initializer_range": 0.02,
            "tie_word_embeddings": False,
            "use_cache": True,
            "pad_token_id": 0,
            "bos_token_id": BOS_ID,
            "eos_token_id": [EOS_ID, END_OF_TURN_ID],
            **self._own_config(),
        }

    def _own_config(self) -> dict[str, object]:
        """What only this architecture has."""
        return {"attention_bias": False, "mlp_bias": False}
