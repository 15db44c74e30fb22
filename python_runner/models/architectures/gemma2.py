"""Gemma-2's architecture: its dimensions, its tensors, its config.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field, PositiveFloat, PositiveInt

from python_runner.models.architectures.base import (
    EMBEDDING,
    FINAL_NORM,
    Normal,
    Shape,
    Size,
)
from python_runner.models.tokenizer.style import GEMMA, TokenizerStyle
from python_runner.models.tokenizer.vocabulary import (
    BOS_ID,
    END_OF_TURN_ID,
    EOS_ID,
    FIRST_PIECE_ID,
)

_ACTIVATION = "gelu_pytorch_tanh"

_MATRIX_SPREAD = 0.02
_EMBEDDING_SPREAD = 0.005
_NORM_SPREAD = 0.02
# Gemma multiplies by (1 + w). With a full share of attention, which in a random model is the
# average of all that was read, every step would end in the same token for ever.
_POST_ATTENTION_NORM_MEAN = -0.9
# Brings the logits of random weights to a width of about 2.
_FINAL_NORM_MEAN = 7.0


class GemmaShape(Shape):
    """The dimensions of one Gemma-2 model."""

    architecture: ClassVar[str] = "gemma2"
    tokenizer: ClassVar[TokenizerStyle] = GEMMA

    sliding_window: PositiveInt = Field(description="tokens that every second layer sees")
    attention_cap: PositiveFloat = Field(description="soft cap of attention scores")
    logit_cap: PositiveFloat = Field(description="soft cap of logits")

    def layer_types(self) -> list[str]:
        """Sliding and full attention in turns, as Gemma-2 has them."""
        kinds = ("sliding_attention", "full_attention")
        return [kinds[layer % 2] for layer in range(self.layers)]

    def tensors(self) -> Iterator[tuple[str, Size]]:
        """As `Shape` has it. The output is tied."""
        yield EMBEDDING, (self.vocabulary, self.hidden)
        for layer in range(self.layers):
            for name, shape in self._layer_tensors():
                yield f"model.layers.{layer}.{name}", shape
        yield FINAL_NORM, (self.hidden,)

    def _layer_tensors(self) -> Iterator[tuple[str, Size]]:
        queries, keys = self.heads * self.head, self.kv_heads * self.head
        yield "input_layernorm.weight", (self.hidden,)
        yield "self_attn.q_proj.weight", (queries, self.hidden)
        yield "self_attn.k_proj.weight", (keys, self.hidden)
        yield "self_attn.v_proj.weight", (keys, self.hidden)
        yield "self_attn.o_proj.weight", (self.hidden, queries)
        yield "post_attention_layernorm.weight", (self.hidden,)
        yield "pre_feedforward_layernorm.weight", (self.hidden,)
        yield "mlp.gate_proj.weight", (self.intermediate, self.hidden)
        yield "mlp.up_proj.weight", (self.intermediate, self.hidden)
        yield "mlp.down_proj.weight", (self.hidden, self.intermediate)
        yield "post_feedforward_layernorm.weight", (self.hidden,)

    def draw(self, name: str, size: Size) -> Normal:
        """As `Shape` has it; why these numbers, models/README.md says."""
        if name == EMBEDDING:
            # An answer shall neither end early nor hold half a character.
            return Normal(0.0, _EMBEDDING_SPREAD, quiet_rows=FIRST_PIECE_ID)
        if name.endswith("post_attention_layernorm.weight"):
            return Normal(_POST_ATTENTION_NORM_MEAN, _NORM_SPREAD)
        if name == FINAL_NORM:
            return Normal(_FINAL_NORM_MEAN, _NORM_SPREAD)
        if name.endswith("norm.weight"):
            return Normal(0.0, _NORM_SPREAD)
        return Normal(0.0, _MATRIX_SPREAD)

    def config(self) -> dict[str, object]:
        """As `Shape` has it."""
        return {
            "architectures": ["Gemma2ForCausalLM"],
            "model_type": "gemma2",
            "dtype": "bfloat16",
            "torch_dtype": "bfloat16",
            "vocab_size": self.vocabulary,
            "hidden_size": self.hidden,
            "intermediate_size": self.intermediate,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head,
            # llama.cpp always scales by the width of a head, so no other value is allowed.
            "query_pre_attn_scalar": self.head,
            "max_position_embeddings": self.context,
            "sliding_window": self.sliding_window,
            "layer_types": self.layer_types(),
            "attn_logit_softcapping": self.attention_cap,
            "final_logit_softcapping": self.logit_cap,
            # transformers writes the second names of these three, mistral.rs reads the first.
            "hidden_act": _ACTIVATION,
            "hidden_activation": _ACTIVATION,
            "rope_theta": self.rope_theta,
            "rope_parameters": {"rope_type": "default", "rope_theta": self.rope_theta},
            "rms_norm_eps": self.norm_eps,
            "attention_bias": False,
            "attention_dropout": 0.0,
            "initializer_range": 0.02,
            "tie_word_embeddings": True,
            "use_cache": True,
            "pad_token_id": 0,
            "bos_token_id": BOS_ID,
            "eos_token_id": [EOS_ID, END_OF_TURN_ID],
        }
