"""Versions and flags of torch and its libraries, and the instruction sets that they may take."""

from __future__ import annotations

import os
import platform
import re
from typing import Any

from python_runner.engines.contract import FLASH_ATTENTION, PROMPT_CACHE

ISA_VARIABLE = "ONEDNN_MAX_CPU_ISA"


def build_facts(config: Any) -> dict[str, str]:
    """Versions and flags of torch and its libraries, in words; `config` is the model's."""
    import torch

    shown = torch.__config__.show()

    def find(pattern: str) -> str:
        match = re.search(pattern, shown)
        return match[1].strip() if match else "not known"

    attention = str(config._attn_implementation)  # noqa: SLF001 - no public name
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "attention": attention,
        FLASH_ATTENTION: "off" if attention == "eager" else f"as torch chooses ({attention})",
        # `generate` makes a cache for each call.
        PROMPT_CACHE: "off",
        "threads": str(torch.get_num_threads()),
        "compiler": find(r"- (GCC [\d.]+|[Cc]lang [\d.]+)"),
        "flags": find(r"CXX_FLAGS=(.*?), [A-Z_]+="),
        "instruction sets": torch.backends.cpu.get_cpu_capability(),
        "oneDNN": find(r"MKL-DNN (v[\d.]+)"),
        ISA_VARIABLE: os.environ.get(ISA_VARIABLE, "unset"),
        "MKL": find(r"Math Kernel Library Version ([\w.-]+)"),
        "threading": find(r"- (OpenMP \d+)"),
    }
