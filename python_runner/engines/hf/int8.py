"""Weights of 8 bits for transformers, by torchao, and what a model holds in the end.

Of torchao's two ways this is the one with activations in 8 bits: each product is one of
whole numbers, as in ggml and candle. The other, weights only, has no kernel of its own on a
CPU unless the model is compiled: it widens every matrix for every token, and was three times
slower than bf16 (docs/engines/transformers.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from python_runner.engines.contract import ACTIVATIONS, WEIGHTS_BY_TYPE, WEIGHTS_IN_MEMORY

INT8 = "int8 (torchao)"


def to_int8(model: Any) -> None:
    """Quantise all linear layers in place: one scale for each row of a matrix.

    The output head is among them. Where it shares its weights with the embedding, that keeps
    them as they were.
    """
    from torchao.quantization import Int8DynamicActivationInt8WeightConfig, quantize_

    quantize_(model, Int8DynamicActivationInt8WeightConfig())


def held_as(model: Any) -> dict[str, str]:
    """What the weights of a loaded model are held in, and what is computed with."""
    counts: dict[str, int] = {}
    for weight in model.parameters():
        kind = "int8" if hasattr(weight, "qdata") else spelled(weight.dtype)
        counts[kind] = counts.get(kind, 0) + weight.numel()
    plain = spelled(model.dtype)
    is_int8 = "int8" in counts
    return {
        WEIGHTS_IN_MEMORY: INT8 if is_int8 else plain,
        WEIGHTS_BY_TYPE: shares(counts),
        ACTIVATIONS: f"{plain}, 8 bits in products" if is_int8 else plain,
    }


def shares(counts: Mapping[str, int]) -> str:
    """Weights by type, in words: `int8 75.0%, bf16 25.0%`."""
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: item[1], reverse=True)
    return ", ".join(f"{kind} {count / total:.1%}" for kind, count in ordered)


def spelled(dtype: Any) -> str:
    """The short name of a torch type: `bf16`."""
    name = str(dtype).removeprefix("torch.")
    return {"bfloat16": "bf16", "float16": "f16", "float32": "f32"}.get(name, name)
