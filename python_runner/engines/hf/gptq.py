"""transformers with weights quantised by GPTQ to 4 bits, multiplied by GPT-QModel's kernels.

A checkpoint of that format is made here of the usual one, once (`models/gptq.py`). Its packages
are kept apart and installed on request (`build/gptq.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from python_runner.common.build.toolchain import c_compilers
from python_runner.common.errors import EngineStartError, SetupError
from python_runner.common.progress import Progress, SilentProgress
from python_runner.engines.build.gptq import gptq_packages, install_gptq
from python_runner.engines.contract import (
    ACTIVATIONS,
    WEIGHTS_BY_TYPE,
    WEIGHTS_IN_MEMORY,
    LaunchSettings,
    WeightFormat,
)
from python_runner.engines.hf import engine as hf_transformers
from python_runner.engines.hf.bnb import lay_out
from python_runner.engines.hf.engine import (
    TransformersEngine,
    TransformersModel,
    read_tokenizer,
    served_by,
    touch,
)
from python_runner.engines.hf.int8 import shares, spelled
from python_runner.engines.variants import always_in
from python_runner.models.gptq import path_to

NAME = "int4 (GPTQ)"
_PACKAGES = ("gptqmodel", "optimum")
SPEC = always_in(
    replace(
        hf_transformers.SPEC,
        name="transformers-gptq",
        title="transformers (GPTQ)",
        model_format="gptq",
    ),
    WeightFormat(name=NAME, bits=4, memory_per_weight_byte=0.5, gptq=True),  # as beside in hf_bnb
)


def prepare(progress: Progress) -> None:
    """Installs nothing; raises SetupError if a package or a compiler has not been installed."""
    hf_transformers.prepare(progress)
    hf_transformers.require("accelerate")
    c_compilers("GPT-QModel's kernels")
    gptq_packages(progress)


def load(settings: LaunchSettings) -> TransformersModel:
    """Load the model in the current process. Raises EngineStartError."""
    folder = settings.model.gptq
    if folder is None:
        raise EngineStartError(f"{settings.model.name} was not quantised by GPTQ")
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(settings.threads)
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.bfloat16,
        device_map={"": "cpu"},
        use_safetensors=True,
        trust_remote_code=False,
    )
    touch(model.parameters())
    lay_out(model)
    return served_by(model, read_tokenizer(settings.model.folder), held_in)


def held_in(model: Any) -> dict[str, str]:
    """What the weights of a loaded model are held in, and whose kernels multiply."""
    quantised = [layer for layer in model.modules() if hasattr(layer, "qweight")]
    counts: dict[str, int] = {}
    for layer in quantised:
        kind = f"int{layer.bits}"
        counts[kind] = counts.get(kind, 0) + layer.in_features * layer.out_features
    for weight in model.parameters():
        kind = spelled(weight.dtype)
        counts[kind] = counts.get(kind, 0) + weight.numel()
    plain = spelled(model.dtype)
    bits = sorted({f"int{layer.bits} (GPTQ)" for layer in quantised})
    groups = sorted({layer.group_size for layer in quantised})
    kernels = sorted({type(layer).__name__ for layer in quantised})
    return {
        WEIGHTS_IN_MEMORY: ", ".join(bits) or plain,
        WEIGHTS_BY_TYPE: shares(counts),
        ACTIVATIONS: plain,
        "weights with one scale": ", ".join(map(str, groups)) or "none",
        "products": ", ".join(kernels) or "by torch",
        **{package: version(package) for package in _PACKAGES},
    }


class GptqEngine(TransformersEngine):
    """Implements `contract.Engine`, `contract.Tunable` and `on_request.OnRequest`."""

    def lack(self) -> str:
        try:
            gptq_packages(SilentProgress())
        except SetupError as error:
            return f"{error.message}. {error.hint}"
        return ""

    def install(self, progress: Progress) -> None:
        """Install the packages and compile their kernels. Raises SetupError."""
        install_gptq(progress)
        prepare(progress)

    def _variables(self, settings: LaunchSettings) -> Mapping[str, str]:
        found = gptq_packages(SilentProgress())
        return {**super()._variables(settings), **path_to(found)}


ENGINE = GptqEngine(SPEC, prepare=prepare, loader=f"{__name__}:load")
