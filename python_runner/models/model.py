"""A model that is ready on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Model:
    """Weights on disk: one source of truth (safetensors) and what was derived from it."""

    name: str
    label: str
    """For captions; says `random weights` where the weights are random."""
    is_synthetic: bool
    """True if the weights were never trained: then the text means nothing."""
    folder: Path
    """The safetensors folder: config.json, tokenizer.json, tokenizer.model, weights. Of a GGUF
    file alone: the folder that it lies in."""
    source_sha256: str
    """Hash over the weights and tokenizer files in `folder`; of a GGUF file alone, its own."""
    gguf: Mapping[str, Path]
    """GGUF files derived from `folder`, by type (`bf16`, `q8_0`)."""
    ct2: Mapping[str, Path] = field(default_factory=dict)
    """Folders for CTranslate2 derived from `folder`, by kind (`bf16`, `int8`)."""
    gptq: Path | None = None
    """The checkpoint in GPTQ's format derived from `folder`, if it was asked for."""
    has_safetensors: bool = True
    """False for a GGUF file alone, which brings its tokenizer inside."""
