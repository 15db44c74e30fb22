"""Gemma-2's architecture: its dimensions, its tensors, its config.json."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from python_runner.models.tokenizer.vocabulary import BOS_ID, END_OF_TURN_ID, EOS_ID

_ACTIVATION = "gelu_pytorch_tanh"
EMBEDDING = "model.embed_tokens.weight"
FINAL_NORM = "model.norm.weight"


class GemmaShape(BaseModel):
    """The dimensions of one Gemma-2 model. Fields without a unit count elements."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    vocabulary: PositiveInt
    hidden: PositiveInt
    intermediate: PositiveInt
    layers: PositiveInt
    heads: PositiveInt
    kv_heads: PositiveInt
    head: PositiveInt = Field(description="width of one head")
    context: PositiveInt = Field(description="most tokens, prompt and answer together")
    sliding_window: PositiveInt = Field(description="tokens that every second layer sees")
    attention_cap: PositiveFloat = Field(description="soft cap of attention scores")
    logit_cap: PositiveFloat = Field(description="soft cap of logits")
    rope_theta: PositiveFloat
    norm_eps: PositiveFloat

    def layer_types(self) -> list[str]:
        """Sliding and full attention in turns, as Gemma-2 has them."""
        kinds = ("sliding_attention", "full_attention")
        return [kinds[layer % 2] for layer in range(self.layers)]

    def tensors(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Name and shape of every tensor; matrices are (out, in). The output is tied."""
        yield EMBEDDING, (self.vocabulary, self.hidden)
        for layer in range(self.layers):
            for name, shape in self._layer_tensors():
                yield f"model.layers.{layer}.{name}", shape
        yield FINAL_NORM, (self.hidden,)

    def _layer_tensors(self) -> Iterator[tuple[str, tuple[int, ...]]]:
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

    @property
    def parameters(self) -> int:
        """Number of weights; the tied output matrix counts once."""
        return sum(math.prod(shape) for _, shape in self.tensors())

    def config(self) -> dict[str, object]:
        """The content of config.json."""
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
