"""Nothing is timed before it is known to be the same work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psutil

from python_runner.common.errors import EngineCrashError, GenerationError, RequestTimeoutError
from python_runner.engines.contract import EngineSpec, GenerateRequest, RunningEngine
from python_runner.engines.outside import NOT_COUNTED
from python_runner.measure.facts import Reading, Seen, reading_of
from python_runner.measure.plan import Prompt


def look_at(running: RunningEngine, prompts: Sequence[Prompt], *, timeout_s: float = 600.0) -> Seen:
    """What an engine that runs says of itself, where it may run, and how it reads the prompts.

    Raises EngineCrashError, RequestTimeoutError (after `timeout_s`), or what else an engine
    raises when a text is to be read.
    """
    return Seen(
        description=running.description,
        affinity=_affinity(running.process_ids()),
        reading=_reading(running, prompts, timeout_s),
    )


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


def _reading(running: RunningEngine, prompts: Sequence[Prompt], timeout_s: float) -> Reading | None:
    found = [running.token_ids(prompt.text) for prompt in prompts]
    ids = [each for each in found if each is not None]
    return reading_of(ids) if len(ids) == len(found) else _counted(running, prompts, timeout_s)


def _counted(running: RunningEngine, prompts: Sequence[Prompt], timeout_s: float) -> Reading | None:
    """By the count that comes with an answer: one prompt is asked for one token.

    Where that is the reference's count, the others are taken to be so too: each of them is
    checked again when its own answer comes.
    """
    first = prompts[0]
    request = GenerateRequest(
        prompt_text=first.text, prompt_ids=first.ids, new_tokens=1, timeout_s=timeout_s
    )
    try:
        counted = running.generate(request).prompt_tokens
    except (EngineCrashError, RequestTimeoutError):
        raise
    except GenerationError:
        return None
    if counted == NOT_COUNTED:
        return None
    if counted == len(first.ids):
        return Reading(counts=tuple(len(prompt.ids) for prompt in prompts))
    return Reading(counts=(counted,))


def _affinity(roots: Iterable[int]) -> str | None:
    """`0, 1`: processors on which the processes below these may run; None if nobody says."""
    allowed: set[int] = set()
    try:
        for root in map(psutil.Process, roots):
            for process in (root, *root.children(recursive=True)):
                allowed.update(process.cpu_affinity())
    except (psutil.Error, AttributeError):  # not every system has it
        return None
    return _ranges(sorted(allowed)) or None


def _ranges(numbers: Sequence[int]) -> str:
    """`0-3, 6`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("-".join(map(str, part)) for part in parts)
