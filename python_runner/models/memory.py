"""Whether a model fits into memory, told before anything is built or made for it."""

from __future__ import annotations

import psutil

from python_runner.common.errors import ModelError
from python_runner.models.cards import ModelCard

_BYTES_PER_WEIGHT = 2
_SPARE_BYTES = 500_000_000
"""For the engine itself, its caches and the workbench."""
_GB = 1e9


def memory_needed(card: ModelCard) -> int:
    """Bytes that a stack needs for this model in bf16, at least. Stacks run one at a time."""
    return card.shape.parameters * _BYTES_PER_WEIGHT + _SPARE_BYTES


def require_memory(card: ModelCard) -> None:
    """Raise ModelError, with both numbers, if less is available than the model needs."""
    available = psutil.virtual_memory().available
    needed = memory_needed(card)
    if available < needed:
        raise ModelError(
            f"{card.name} needs at least {needed / _GB:.1f} GB of memory, "
            f"and {available / _GB:.1f} GB are available",
            hint="End other programs, or choose a smaller model: `polystack models` lists them.",
        )
