"""Architectures: dimensions, tensors, config.json. A new one is a file here and a row below."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from python_runner.models.architectures.base import Shape
from python_runner.models.architectures.gemma2 import GemmaShape
from python_runner.models.architectures.llama import LlamaShape
from python_runner.models.architectures.mistral import MistralShape
from python_runner.models.architectures.qwen2 import Qwen2Shape

ARCHITECTURES: Mapping[str, type[Shape]] = MappingProxyType(
    {each.architecture: each for each in (GemmaShape, LlamaShape, MistralShape, Qwen2Shape)}
)
"""By the name that manifests and config.json have for them."""

__all__ = ["ARCHITECTURES", "Shape"]
