"""The file of weights that an engine on ggml is to load, and what that file holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from python_runner.common.errors import EngineStartError
from python_runner.engines.contract import (
    ACTIVATIONS,
    WEIGHTS_BY_TYPE,
    WEIGHTS_IN_MEMORY,
    EngineDescription,
    EngineSpec,
    LaunchSettings,
    WeightFormat,
)
from python_runner.models.gguf_file import stored_types

# llama.cpp lays Q4_K out anew for the CPU while it loads, beside the file in memory.
_BY_TYPE: Mapping[str, WeightFormat] = MappingProxyType(
    {
        "bf16": WeightFormat(name="bf16", bits=16, memory_per_weight_byte=1.1, gguf="bf16"),
        "q8_0": WeightFormat(name="Q8_0", bits=8, memory_per_weight_byte=0.55, gguf="q8_0"),
        "q6_k": WeightFormat(name="Q6_K", bits=6, memory_per_weight_byte=0.46, gguf="q6_k"),
        "q4_k_m": WeightFormat(name="Q4_K_M", bits=4, memory_per_weight_byte=0.5, gguf="q4_k_m"),
        "q4_0": WeightFormat(name="Q4_0", bits=4, memory_per_weight_byte=0.35, gguf="q4_0"),
    }
)
_MIXTURE = re.compile(r"(Q\d_K)_[SML]")
"""Named after the type that is most of it."""
_PLAIN = frozenset({"bf16", "f16", "f32"})
_WORTH_NAMING = 0.0005
"""Share of the weights; less is norms."""


def gguf_formats(*, shipped: str) -> Mapping[str, WeightFormat]:
    """What an engine on ggml runs for each precision.

    Args:
        shipped: the type of GGUF file that the engine's project gives to whoever types its
            first command.
    """
    return MappingProxyType(
        {"bf16": _BY_TYPE["bf16"], "8bit": _BY_TYPE["q8_0"], "shipped": _BY_TYPE[shipped]}
    )


def gguf_of(spec: EngineSpec, settings: LaunchSettings) -> Path:
    """The GGUF file that `spec` runs under `settings`. Raises EngineStartError."""
    wanted = gguf_type(spec, settings)
    path = settings.model.gguf.get(wanted)
    if path is None:
        raise EngineStartError(
            f"{settings.model.name} has no GGUF file in {wanted}",
            hint=f"It has: {', '.join(settings.model.gguf) or 'none'}.",
        )
    return path


def gguf_type(spec: EngineSpec, settings: LaunchSettings) -> str:
    """The type of GGUF file that the study's word for a precision means to `spec`."""
    chosen = spec.formats.get(settings.precision)
    return chosen.gguf if chosen else settings.precision


def with_weights(
    description: EngineDescription, spec: EngineSpec, settings: LaunchSettings
) -> EngineDescription:
    """The description with what the weights are held in. Reads the beginning of the file.

    Raises EngineStartError, ModelError.
    """
    return replace(description, build={**description.build, **weights_held(spec, settings)})


def weights_held(spec: EngineSpec, settings: LaunchSettings) -> Mapping[str, str]:
    """What an engine on ggml holds and computes with: asked of the file and not of the study.

    A type whose blocks do not fit the shape of a matrix is replaced when the file is made.

    Raises EngineStartError, ModelError.
    """
    shares = stored_types(gguf_of(spec, settings))
    chosen = spec.formats.get(settings.precision)
    wanted = _spelled(chosen.name if chosen else settings.precision)
    most = next(iter(shares), "nothing")
    is_so = most == _MIXTURE.sub(r"\1", wanted)
    listed = [f"{kind} {share:.1%}" for kind, share in shares.items() if share >= _WORTH_NAMING]
    return {
        WEIGHTS_IN_MEMORY: wanted if is_so else f"{most} for the most part, asked for as {wanted}",
        WEIGHTS_BY_TYPE: ", ".join(listed),
        # ggml brings the other side of a product to the kind of the weights.
        ACTIVATIONS: f"f32, {most if most in _PLAIN else '8 bits'} in products",
    }


def _spelled(kind: str) -> str:
    """The name of a type as ggml writes it, but for bf16, f16 and f32."""
    return kind.lower() if kind.lower() in _PLAIN else kind.upper()
