"""What CTranslate2 can compute of a model and its converter leaves out (decision 0012)."""

from __future__ import annotations

from typing import Any

import numpy as np


def complete(decoder: Any, config: Any) -> None:
    """Add it to a decoder before it is written.

    Args:
        decoder: the converter's description of it, changed in place.
        config: of the model, as transformers has it.
    """
    theta = _rope_theta(config)
    for layer in decoder.layer:
        if theta is not None and hasattr(layer.self_attention, "rotary_base"):
            layer.self_attention.rotary_base = np.float32(theta)
    if config.model_type == "gemma2":
        _complete_gemma2(decoder, config)


def _complete_gemma2(decoder: Any, config: Any) -> None:
    if config.final_logit_softcapping:
        decoder.final_logit_softcapping = np.float32(config.final_logit_softcapping)
    for layer, kind in zip(decoder.layer, config.layer_types, strict=True):
        attention = layer.self_attention
        attention.queries_scale = np.float32(config.query_pre_attn_scalar**-0.5)
        # With one head of keys the library would take the wrong side of its cache for time.
        if kind == "sliding_attention" and config.num_key_value_heads > 1:
            # The description takes no new names by assignment once it is made.
            vars(attention)["sliding_window"] = np.int32(config.sliding_window)


def _rope_theta(config: Any) -> float | None:
    """The base of the rotary positions, where the model has one for all layers."""
    found = getattr(config, "rope_parameters", None) or {}
    theta = found.get("rope_theta")
    return None if theta is None else float(theta)
