"""Qwen2's architecture: Llama's, with biases on queries, keys and values."""

from __future__ import annotations

from typing import ClassVar

from python_runner.models.architectures.llama import LlamaShape
from python_runner.models.tokenizer.style import TokenizerStyle


class Qwen2Shape(LlamaShape):
    """The dimensions of one Qwen2 model whose output matrix is not tied (7B and larger)."""

    architecture: ClassVar[str] = "qwen2"
    # No BOS, as the published ones. For this architecture llama.cpp's converter does not ask
    # whether a space belongs before a text of SentencePiece's, and llama.cpp then puts one.
    tokenizer: ClassVar[TokenizerStyle] = TokenizerStyle(puts_bos=False, puts_space=True)
    class_name: ClassVar[str] = "Qwen2ForCausalLM"
    has_biases: ClassVar[bool] = True

    rope_scaling: None = None

    def _own_config(self) -> dict[str, object]:
        # The published ones carry a window and have it switched off.
        return {
            "use_sliding_window": False,
            "sliding_window": self.context,
            "max_window_layers": self.layers,
        }
