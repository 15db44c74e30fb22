"""Mistral's architecture: Llama's, and in its first version a sliding window."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, PositiveInt

from python_runner.models.architectures.llama import LlamaShape


class MistralShape(LlamaShape):
    """The dimensions of one Mistral model."""

    architecture: ClassVar[str] = "mistral"
    class_name: ClassVar[str] = "MistralForCausalLM"

    rope_scaling: None = None
    sliding_window: PositiveInt | None = Field(
        None, description="tokens that a layer sees; none: all, as from v0.2 on"
    )

    def _own_config(self) -> dict[str, object]:
        return {"sliding_window": self.sliding_window}
