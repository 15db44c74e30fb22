"""A program: `python -m python_runner.models.ct2_convert FOLDER MADE KIND`.

It converts safetensors by CTranslate2's own converter, and completes what that makes of them.
Weights are loaded in bf16, as every engine is given them; nothing that came with a model is
run as code.
"""

from __future__ import annotations

import sys
from typing import Any

from ctranslate2.converters import TransformersConverter

from python_runner.models.ct2_complete import complete

_QUANTISATION = {"bf16": "bfloat16", "int8": "int8"}


class Conversion(TransformersConverter):  # type: ignore[misc]  # the library has no types
    """CTranslate2's converter, with our reading of weights and tokenizer."""

    def load_model(self, model_class: Any, path: str, **options: Any) -> Any:
        """The model of transformers in bf16, whatever type its files have."""
        import torch

        safe = {"dtype": torch.bfloat16, "use_safetensors": True, "trust_remote_code": False}
        model = model_class.from_pretrained(path, **{**options, **safe})
        self._config = model.config
        return model

    def load_tokenizer(self, _class: Any, path: str, **_options: Any) -> Any:
        """As tokenizer.json says it, like the reference and the other engines."""
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast.from_pretrained(path)

    def _load(self) -> Any:
        spec = super()._load()
        if spec.config.unk_token is None:
            spec.config.unk_token = ""  # the library takes a text only
        complete(spec.decoder, self._config)
        return spec


def main() -> None:
    """Convert what the command line names."""
    folder, made, kind = sys.argv[1:]
    conversion = Conversion(folder, low_cpu_mem_usage=True)
    conversion.convert(made, quantization=_QUANTISATION[kind])


if __name__ == "__main__":
    main()
