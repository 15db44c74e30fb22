"""Nothing is timed before it is known to be the same work."""

from __future__ import annotations

from collections.abc import Iterable

from python_runner.common.errors import GenerationError
from python_runner.engines.contract import EngineSpec, RunningEngine
from python_runner.measure.plan import Prompt


def check_tokens(running: RunningEngine, spec: EngineSpec, prompts: Iterable[Prompt]) -> None:
    """Compare the engine's own tokenisation of every prompt with the reference.

    Engines that give no token ids are checked by the count that comes with each answer.

    Raises GenerationError that names the first difference.
    """
    for prompt in prompts:
        found = running.token_ids(prompt.text)
        if found is None:
            return
        if found != prompt.ids:
            raise GenerationError(
                f"{spec.title} reads the prompt {prompt.text[:40]!r} as {len(found)} tokens "
                f"{found[:6]}…, the model's tokenizer as {len(prompt.ids)} {prompt.ids[:6]}…",
                hint="Not the same work, so it is not timed. Check add_bos_token and the "
                "tokenizer files of the model.",
            )
