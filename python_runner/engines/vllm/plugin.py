"""Loaded by vLLM itself into each of its processes, by its own mechanism for plug-ins.

It runs in vLLM's environment: it imports nothing of ours.
"""

from __future__ import annotations

import os

AMX_VARIABLE = "POLYSTACK_VLLM_AMX"
"""`off`: vLLM is told that the CPU has no tiles."""


def register() -> None:
    """Keep vLLM to the instruction sets that the other stacks are compiled for.

    It has kernels for matrix products and attention in AMX tiles, chosen wherever PyTorch says
    that the CPU has them, and no setting that leaves them out.
    """
    if os.environ.get(AMX_VARIABLE) != "off":
        return
    import torch

    torch.cpu._is_amx_tile_supported = lambda: False  # noqa: SLF001 - where vLLM asks
