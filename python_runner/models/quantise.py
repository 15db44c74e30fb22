"""GGUF files in fewer bits, made of the one in bf16 by llama.cpp's own `llama-quantize`.

It keeps norms in 32 bits, and where the blocks of a type do not fit the rows of a matrix it
takes another type: what a file holds is asked of the file (`gguf_file.stored_types`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from python_runner.common.progress import Progress
from python_runner.models.gguf import WHOLE, keep_gguf, write_file

Quantiser = Callable[[Progress], Path]
"""Finds or builds the program `llama-quantize`. Raises SetupError."""

# Size over that in bf16, with what a shape like Gemma-2-2B's makes of it: its embedding, which
# is its output head as well, gets more bits than the rest.
_SHARE_OF_BF16: Mapping[str, float] = MappingProxyType(
    {"q8_0": 0.533, "q6_k": 0.413, "q4_k_m": 0.327, "q4_0": 0.312}
)
TYPES = (WHOLE, *_SHARE_OF_BF16)
"""The types of GGUF file that can be made."""

_START_S = 1.0
_SECONDS_PER_GB = 8.0


def gguf_bytes(size: int, kind: str) -> int:
    """About how large the GGUF file of type `kind` is, if the model has `size` bytes in bf16."""
    return int(size * _SHARE_OF_BF16.get(kind, 1.0))


def seconds_to_quantise(size: int) -> float:
    """About how long two cores need for a model that has `size` bytes in bf16."""
    return _START_S + size / 1e9 * _SECONDS_PER_GB


def make_quantised(
    whole: Path,
    kind: str,
    *,
    name: str,
    source_sha256: str,
    quantiser: Quantiser,
    progress: Progress,
) -> Path:
    """Quantise a GGUF file, unless that was done before.

    Args:
        whole: the file in bf16.
        kind: one of `TYPES`, but not bf16.
        name: of the model.
        source_sha256: hash over the files that `whole` was made of.
        quantiser: asked for the program only if it is needed.
        progress: shown while it works.

    Raises:
        ConversionError: it failed; the message holds the end of its log.
        SetupError: the program cannot be built.
    """
    size = whole.stat().st_size

    def quantise(made: Path) -> None:
        program = quantiser(progress)
        with progress.task(
            f"Quantising {name} to {kind.upper()}",
            why="for the stacks that read GGUF files; kept for the next time",
            expected_s=seconds_to_quantise(size),
        ) as task:
            write_file(
                [program, whole, made, kind.upper()],
                made,
                gguf_bytes(size, kind),
                failed=f"{whole} could not be quantised to {kind.upper()}",
                task=task,
            )

    return keep_gguf(quantise, name=name, source_sha256=source_sha256, precision=kind)
