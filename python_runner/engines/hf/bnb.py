"""transformers with weights quantised by bitsandbytes: in nf4 (4 bits), or in int8 (LLM.int8).

Each is a stack of its own, as in the study that compares them, and holds its weights so
whatever word a study has for the precision (docs/decisions/0020). All linear layers are
quantised while the model is loaded; embedding and output head stay in bf16, as transformers
leaves them.
"""

from __future__ import annotations

import logging
import platform
from dataclasses import replace
from importlib.metadata import version
from math import prod
from typing import Any

from python_runner.common.build.cpu import lacks
from python_runner.common.errors import SetupError
from python_runner.common.progress import Progress
from python_runner.engines.contract import (
    ACTIVATIONS,
    WEIGHTS_BY_TYPE,
    WEIGHTS_IN_MEMORY,
    LaunchSettings,
    WeightFormat,
)
from python_runner.engines.hf import engine as hf_transformers
from python_runner.engines.hf.engine import (
    SPEC,
    TransformersEngine,
    TransformersModel,
    read_tokenizer,
    served_by,
    touch,
)
from python_runner.engines.hf.int8 import shares, spelled
from python_runner.engines.variants import always_in

PACKAGE = "bitsandbytes"
NF4, INT8 = f"nf4 ({PACKAGE})", f"int8 ({PACKAGE})"
_X86 = frozenset({"x86_64", "amd64"})
_OUTLIERS = 6.0
"""From which size on an activation is an outlier: what transformers takes by itself."""
_TALKATIVE = "bitsandbytes.autograd._functions"
"""The logger that warns of each product of each token that it is made of 16-bit floats."""


def prepare(progress: Progress) -> None:
    """Nothing is built; raises SetupError if a package or an instruction set is missing."""
    hf_transformers.prepare(progress)
    hf_transformers.require("accelerate", PACKAGE)
    if platform.machine().lower() in _X86 and lacks("avx2"):
        raise SetupError(
            f"this CPU has no AVX2, which {PACKAGE} needs",
            hint="Leave the stack out with --stacks.",
        )


def load_nf4(settings: LaunchSettings) -> TransformersModel:
    """Load the model in nf4 in the current process."""
    import torch

    return _load(
        settings,
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def load_int8(settings: LaunchSettings) -> TransformersModel:
    """Load the model in int8 in the current process."""
    return _load(settings, load_in_8bit=True, llm_int8_threshold=_OUTLIERS)


def _load(settings: LaunchSettings, **how: Any) -> TransformersModel:
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    torch.set_num_threads(settings.threads)
    folder = settings.model.folder
    config: Any = BitsAndBytesConfig  # its constructor has no types
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.bfloat16,
        quantization_config=config(**how),
        device_map={"": "cpu"},
        use_safetensors=True,
        trust_remote_code=False,
    )
    logging.getLogger(_TALKATIVE).setLevel(logging.ERROR)
    touch(weight for weight in model.parameters() if weight.dtype is torch.bfloat16)
    lay_out(model)
    return served_by(model, read_tokenizer(folder), held_in)


def lay_out(model: Any) -> None:
    """Pass one token through: in its first pass it lays its weights out for this CPU."""
    import torch

    with torch.inference_mode():
        model(torch.tensor([[0]]), use_cache=False, logits_to_keep=1)


def held_in(model: Any) -> dict[str, str]:
    """What the weights of a loaded model are held in, and how products are made."""
    counts: dict[str, int] = {}
    for weight in model.parameters():
        kind, count = _kind_of(weight)
        counts[kind] = counts.get(kind, 0) + count
    plain = spelled(model.dtype)
    names = {"nf4": NF4, "int8": INT8}
    kind = next((kind for kind in names if kind in counts), "")
    return {
        WEIGHTS_IN_MEMORY: names.get(kind, plain),
        WEIGHTS_BY_TYPE: shares(counts),
        ACTIVATIONS: f"{plain}, 8 bits in products but for outliers" if kind == "int8" else plain,
        PACKAGE: version(PACKAGE),
        "products": _products(model, kind) if kind else "by torch",
    }


def _kind_of(weight: Any) -> tuple[str, int]:
    """The type of a parameter, and of how many weights it is."""
    state = getattr(weight, "quant_state", None)
    if state is None:
        return spelled(weight.dtype), weight.numel()
    return str(state.quant_type), prod(state.shape)  # two weights lie in a byte


def _products(model: Any, kind: str) -> str:
    """How bitsandbytes multiplies on this CPU: it goes by the instruction sets."""
    if kind == "int8":
        is_fast = _instruction_sets() == "AVX512"
        return "of whole numbers, by torch" if is_fast else "widened to f32 for each"
    states = [getattr(weight, "quant_state", None) for weight in model.parameters()]
    is_fused = any(getattr(state, "packing_format_for_cpu", False) for state in states)
    return "of 4 bits, by AVX-512 with bf16" if is_fused else "widened to bf16 for each"


def _instruction_sets() -> str:
    import torch

    return str(torch.backends.cpu.get_cpu_capability())


def _engine(name: str, title: str, kept: WeightFormat, loader: str) -> TransformersEngine:
    spec = always_in(replace(SPEC, name=name, title=title), kept)
    return TransformersEngine(spec, prepare=prepare, loader=f"{__name__}:{loader}")


# Memory: from 0.4 billion weights (peaks of 1.86 GB and 2.59 GB), less what the tiny model takes.
NF4_ENGINE = _engine(
    "transformers-nf4",
    "transformers (nf4)",
    WeightFormat(name=NF4, bits=4, memory_per_weight_byte=1.0),
    "load_nf4",
)
INT8_ENGINE = _engine(
    "transformers-int8",
    "transformers (LLM.int8)",
    WeightFormat(name=INT8, bits=8, memory_per_weight_byte=1.8),
    "load_int8",
)
