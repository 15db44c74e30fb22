"""The prompts of a file, as the requests of a comparison or of a load."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from python_runner.common.errors import StudyError, UsageError
from python_runner.measure import Prompt
from python_runner.measure.load.prompts import Encode, Render, as_prompts
from python_runner.measure.prompt_file import (
    check_they_fit,
    read_prompt_file,
    shared_with_the_one_before,
)
from python_runner.study import Study

MOST_ITERATIONS = 200
"""Prompts of a file that are all asked without being told how many."""
_MOST_OF_A_LOAD = 10_000


@dataclass(frozen=True, kw_only=True)
class AskedPrompts:
    """Prompts in the order in which they are asked."""

    prompts: tuple[Prompt, ...]
    said: str
    """What a prompt cache finds in them."""


def iterations_of_file(path: Path, warmup: int) -> int:
    """As many as the file has prompts besides those of warm-up.

    Raises:
        UsageError: it has none, or so many that somebody has to say how many are meant.
    """
    count = len(read_prompt_file(path).texts) - warmup
    if count < 1:
        raise UsageError(
            f"prompts: {path}: all of its {count + warmup} are needed for warming up",
            hint="Write more of them, or give --warmup 0.",
        )
    if count > MOST_ITERATIONS:
        raise UsageError(
            f"prompts: {path} has {count + warmup:,} of them",
            hint="Say how many are to be timed: --iterations 20 takes the first ones.",
        )
    return count


def prompts_of_file(study: Study, encode: Encode, render: Render) -> AskedPrompts:
    """Those that a comparison asks: first those of warm-up, then one for each iteration.

    Raises:
        UsageError: the file cannot be read, or holds what is no prompt.
        StudyError: it has too few of them, or one that does not fit into the context.
    """
    path = Path(study.workload.prompts or "")
    needed = study.warmup + study.most_iterations
    found = read_prompt_file(path, most=needed)
    if len(found.texts) < needed:
        raise StudyError(
            f"prompts: {path} has {len(found.texts)}, and {study.warmup} of warm-up and "
            f"{study.most_iterations} iterations take {needed}",
            hint=f"Write more of them, or ask for --iterations {len(found.texts) - study.warmup}."
            if len(found.texts) > study.warmup
            else "Write more of them.",
        )
    prompts = as_prompts(found.texts, encode=encode, render=render)
    work = study.workload
    check_they_fit(prompts, found, context=study.context, new_tokens=work.new_tokens)
    return AskedPrompts(prompts=prompts, said=f"{_of(found.path)}; {_cache_words(prompts)}")


def prompts_of_load(
    path: Path, study: Study, encode: Encode | None, render: Render, *, context: int | None
) -> AskedPrompts:
    """Those that a load asks in turn. Raises what `prompts_of_file` raises.

    Without a tokenizer, or a context that is known, the server tells what does not fit.
    """
    found = read_prompt_file(path, most=_MOST_OF_A_LOAD)
    prompts = as_prompts(found.texts, encode=encode, render=render)
    if encode is not None and context is not None:
        tokens = study.workload.new_tokens
        check_they_fit(prompts, found, context=context, new_tokens=tokens)
    left_out = f" ({found.left_out} without a question left out)" if found.left_out else ""
    said = f"the {len(prompts)} prompts of {path.name}, in turn{left_out}"
    return AskedPrompts(prompts=prompts, said=said)


def _of(path: Path) -> str:
    return f"the prompts of {path.name} in their order, each once"


def _cache_words(prompts: tuple[Prompt, ...]) -> str:
    shared = shared_with_the_one_before(prompts)
    if not shared:
        return "no two that follow each other begin alike"
    tokens = "1 token" if shared == 1 else f"{shared} tokens"
    return f"with the one before it a prompt shares {tokens} at most, which a cache saves"
