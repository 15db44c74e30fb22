"""What can be known to be wrong with the variants of a study before anything is started."""

from __future__ import annotations

from collections.abc import Mapping

from python_runner.common.errors import UsageError
from python_runner.common.variants import knobs_of
from python_runner.engines.contract import Engine
from python_runner.models import Source
from python_runner.study import Study


def check_variants(study: Study, source: Source, engines: Mapping[str, Engine]) -> None:
    """Hold the settings of each variant against the study and its model.

    Raises:
        UsageError: a precision for a model that is a file in one precision, or a context
            that the prompt and its answer do not fit into.
    """
    # How long the prompts of a file are is seen when they are read.
    prompt_tokens = 1 if study.workload.prompts else study.workload.prompt_tokens
    needed = prompt_tokens + study.workload.new_tokens
    for name in engines:
        knobs = knobs_of(name)
        if "precision" in knobs and source.gguf is not None:
            raise UsageError(
                f"{name}: {source.label} is a GGUF file alone, in {source.gguf.precision}, and "
                "has no other precision",
                hint="Leave the knob out, or choose a model of safetensors.",
            )
        if "context" in knobs and int(knobs["context"]) < needed:
            raise UsageError(
                f"{name}: that context is too small for {prompt_tokens} prompt "
                f"tokens and {study.workload.new_tokens} new ones ({needed})",
                hint="Ask for a larger context, or for fewer tokens.",
            )
