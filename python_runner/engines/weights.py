"""The file of weights that an engine is to load."""

from __future__ import annotations

from pathlib import Path

from python_runner.common.errors import EngineStartError
from python_runner.engines.contract import LaunchSettings


def gguf_of(settings: LaunchSettings) -> Path:
    """The model's GGUF file in the precision of `settings`. Raises EngineStartError."""
    path = settings.model.gguf.get(settings.precision)
    if path is None:
        raise EngineStartError(
            f"{settings.model.name} has no GGUF file in {settings.precision}",
            hint=f"It has: {', '.join(settings.model.gguf) or 'none'}.",
        )
    return path
