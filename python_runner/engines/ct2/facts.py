"""What CTranslate2 runs with: by its own log, by the loaded model and by the file it read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from python_runner.engines.contract import (
    ACTIVATIONS,
    AS_NEEDED,
    CONTEXT_MEMORY,
    FLASH_ATTENTION,
    KV_CACHE,
    PROMPT_CACHE,
    WEIGHTS_BY_TYPE,
    WEIGHTS_IN_MEMORY,
)
from python_runner.models.ct2 import WEIGHTS
from python_runner.models.ct2_file import stored_shares

INT8 = "int8 (CTranslate2)"
MKL_VARIABLE = "MKL_ENABLE_INSTRUCTIONS"
ONEDNN_VARIABLE = "ONEDNN_MAX_CPU_ISA"
_SPELLED = {"float32": "f32", "float16": "f16", "bfloat16": "bf16"}
_UNKNOWN = "not known"
_OWN_LOG = Path("/proc/self/fd/2")


def watch_log() -> Callable[[], str]:
    """Gives what this process writes to standard error from now on, where that is a file."""
    begin = _OWN_LOG.stat().st_size if _OWN_LOG.is_file() else 0

    def written() -> str:
        if not _OWN_LOG.is_file():
            return ""
        with _OWN_LOG.open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace")

    return written


def facts_of(compute: str, folder: Path, log: str) -> dict[str, str]:
    """What may explain a difference, in words for tables.

    Args:
        compute: the type that the loaded model says it computes in: `float32`, `int8_float32`.
        folder: that it was read from.
        log: what the library has written while it loaded the model.

    Raises:
        ModelError: the weights in `folder` cannot be read.
    """
    weights, _, rest = compute.partition("_")
    is_int8 = weights == "int8"
    floats = _SPELLED.get(rest or weights, rest or weights)
    stored = stored_shares(folder / WEIGHTS)
    return {
        "package": "wheel of its project",
        "flags": "not known: compiled by its publisher",
        "compute type": compute,
        WEIGHTS_IN_MEMORY: INT8 if is_int8 else _SPELLED.get(weights, weights),
        WEIGHTS_BY_TYPE: _in_memory(stored, floats, is_int8=is_int8),
        "weights in the file": _listed(stored),
        ACTIVATIONS: f"{floats}, 8 bits in products" if is_int8 else floats,
        KV_CACHE: floats,
        CONTEXT_MEMORY: AS_NEEDED,
        "prompt tokens computed at once": "all but the last",
        # Its kernel for that is for graphics cards.
        FLASH_ATTENTION: "off",
        PROMPT_CACHE: "off",
        **system_facts(log, is_int8=is_int8),
        MKL_VARIABLE: os.environ.get(MKL_VARIABLE, "unset"),
        ONEDNN_VARIABLE: os.environ.get(ONEDNN_VARIABLE, "unset"),
    }


def system_facts(log: str, *, is_int8: bool) -> dict[str, str]:
    """What the library has chosen for this CPU, read in the lines that it writes about it."""
    isa = re.search(r"Selected ISA: (\w+)", log)
    gemm = "GEMM_S8" if is_int8 else "SGEMM"
    products = re.search(rf"{gemm} backend: (\w+) \(packed: (\w+)", log)
    return {
        "instruction sets": f"{isa[1]} in its own kernels" if isa else _UNKNOWN,
        "products by": products[1] if products else _UNKNOWN,
        "weights packed": _yes_or_no(products[2]) if products else _UNKNOWN,
    }


def left_out(folder: Path) -> dict[str, str]:
    """What the model has and the library does not compute; nothing, for most models.

    `folder`: the model's own, with its config.json.
    """
    cap, window = _config(folder).get("attn_logit_softcapping"), window_of(folder)
    found = [f"the soft cap of attention scores ({cap:g})"] if cap else []
    found += [f"the window of {window} tokens, within a prompt"] if window else []
    return {"left out": "; ".join(found)} if found else {}


def window_of(folder: Path) -> int | None:
    """How many tokens a layer looks back at most; None: at all, in every layer."""
    config = _config(folder)
    window = config.get("sliding_window") if config.get("use_sliding_window", True) else None
    return int(window) if window else None


def _config(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config


def _in_memory(stored: Mapping[str, float], floats: str, *, is_int8: bool) -> str:
    """The shares once the library has brought all that it does not quantise to one type."""
    quantised = stored.get("int8", 0.0) if is_int8 else 0.0
    shares = {"int8": quantised, floats: 1.0 - quantised} if is_int8 else {floats: 1.0}
    return _listed(shares)


def _listed(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{kind} {share:.1%}" for kind, share in shares.items())


def _yes_or_no(said: str) -> str:
    return "yes" if said == "true" else "no"
