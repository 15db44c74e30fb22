"""Tiny models of other shapes than Gemma-2's, made by the tests that use them.

Nobody trained them, and yet they are sure of every token: the output matrix leads from
each piece to one other, and the layers add little to that. So engines that compute the
same must say the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_runner.models.tokenizer import make_vocabulary, write_tokenizer
from python_runner.models.tokenizer.files import BOS, EOS
from python_runner.models.tokenizer.vocabulary import (
    BOS_ID,
    EOS_ID,
    FIRST_PIECE_ID,
    SPACE,
    SPECIALS,
)

VOCABULARY = 1024
CONTEXT = 256
ROPE_THETA = 50_000.0
_HIDDEN = 64


@dataclass(frozen=True)
class Shape:
    """One architecture, and what its published models have of their own."""

    name: str
    architecture: str
    config: dict[str, Any]
    generation: dict[str, Any]
    has_bos: bool
    adds_space: bool
    """Whether a space is put before every text, as SentencePiece does by default."""
    step: int = 379
    """From a piece to the one that follows it in an answer."""


_SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": _HIDDEN,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "rms_norm_eps": 1e-5,
    "hidden_act": "silu",
    "bos_token_id": BOS_ID,
    "eos_token_id": EOS_ID,
    "tie_word_embeddings": False,
    "initializer_range": 0.02,
    "use_cache": True,
    "rope_theta": ROPE_THETA,
}

LLAMA = Shape(
    "llama",
    "LlamaForCausalLM",
    {"attention_bias": False, "mlp_bias": False, "head_dim": 16},
    {},
    has_bos=True,
    adds_space=False,
)
MISTRAL = Shape(
    "mistral",
    "MistralForCausalLM",
    {"sliding_window": 32, "head_dim": 16},
    {},
    has_bos=True,
    adds_space=False,
)
QWEN2 = Shape(
    "qwen2",
    "Qwen2ForCausalLM",
    {"use_sliding_window": False, "sliding_window": CONTEXT, "max_window_layers": 2},
    # What the published models bring along, and what must not touch a greedy answer.
    {"repetition_penalty": 1.3, "temperature": 0.7, "top_p": 0.8, "top_k": 20},
    has_bos=False,
    adds_space=True,
)
SHAPES = (LLAMA, MISTRAL, QWEN2)

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<start_of_turn>' + message['role'] + '\\n' "
    "+ message['content'] + '<end_of_turn>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>assistant\\n' }}{% endif %}"
)


def write_model(folder: Path, shape: Shape) -> Path:
    """Write a model of this shape into a new folder `folder`, as a user would have one."""
    folder.mkdir(parents=True)
    config = {
        "architectures": [shape.architecture],
        "model_type": shape.name,
        "torch_dtype": "bfloat16",
        **_SIZES,
        **shape.config,
    }
    _write_json(folder / "config.json", config)
    _write_weights(folder / "model.safetensors", shape.step)
    write_tokenizer(folder, make_vocabulary(VOCABULARY), context=CONTEXT)
    _adapt_tokenizer(folder, shape)
    _write_json(
        folder / "generation_config.json",
        {"bos_token_id": BOS_ID, "eos_token_id": EOS_ID, "do_sample": True, **shape.generation},
    )
    return folder


def _write_weights(path: Path, step: int) -> None:
    import torch
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(20240)
    network = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(path.parent))
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for name, tensor in weights.items():
        if name.endswith(".bias"):
            weights[name] = torch.randn_like(tensor) * 0.1
        elif name.endswith("_proj.weight"):
            weights[name] = torch.randn_like(tensor) * 0.05
    pieces = VOCABULARY - FIRST_PIECE_ID
    embeddings = torch.randn(VOCABULARY, _HIDDEN)
    output = torch.zeros(VOCABULARY, _HIDDEN)
    for piece in range(pieces):
        after = (piece + step) % pieces
        output[FIRST_PIECE_ID + after] = embeddings[FIRST_PIECE_ID + piece]
    weights["model.embed_tokens.weight"] = embeddings
    weights["lm_head.weight"] = output
    save_file(
        {name: tensor.to(torch.bfloat16) for name, tensor in weights.items()},
        path,
        metadata={"format": "pt"},
    )


def _adapt_tokenizer(folder: Path, shape: Shape) -> None:
    """Make of our Gemma-like tokenizer one with the conventions of this shape's models."""
    configured = _read_json(folder / "tokenizer_config.json")
    configured |= {
        # The tokenizer as its files say it: the classes of some models change it.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": shape.has_bos,
        "add_prefix_space": shape.adds_space,
        "chat_template": CHAT_TEMPLATE,
    }
    if not shape.has_bos:
        configured["bos_token"] = None
    _write_json(folder / "tokenizer_config.json", configured)
    special = {"eos_token": EOS, "pad_token": SPECIALS[0]}
    _write_json(
        folder / "special_tokens_map.json",
        {**special, **({"bos_token": BOS} if shape.has_bos else {})},
    )
    tokenizer = _read_json(folder / "tokenizer.json")
    if not shape.has_bos:
        tokenizer["post_processor"] = None
    if shape.adds_space:
        tokenizer["normalizer"] = {
            "type": "Sequence",
            "normalizers": [{"type": "Prepend", "prepend": SPACE}, tokenizer["normalizer"]],
        }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False))


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
