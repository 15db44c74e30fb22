"""What the tests of engines share."""

from __future__ import annotations

from pathlib import Path

from python_runner.engines.contract import GenerateRequest, LaunchSettings
from python_runner.models import Model


def settings_for(folder: Path, *, threads: int = 2, context: int = 64) -> LaunchSettings:
    """Settings with a model whose files nobody reads."""
    model = Model(
        name="paper",
        label="a model on paper",
        is_synthetic=True,
        folder=folder,
        source_sha256="0" * 64,
        gguf={},
    )
    return LaunchSettings(
        model=model,
        precision="bf16",
        device="cpu",
        threads=threads,
        context=context,
        start_timeout_s=60.0,
    )


def request_for(
    *prompt_ids: int, new_tokens: int = 4, ignore_end_of_sequence: bool = True
) -> GenerateRequest:
    """A request with that prompt."""
    return GenerateRequest(
        prompt_text="a prompt",
        prompt_ids=prompt_ids,
        new_tokens=new_tokens,
        ignore_end_of_sequence=ignore_end_of_sequence,
    )
