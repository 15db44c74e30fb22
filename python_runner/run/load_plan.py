"""From a study with a load to what all its stacks are given."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.errors import StudyError, UsageError
from python_runner.common.progress import Progress
from python_runner.engines.contract import LaunchSettings
from python_runner.engines.outside import Outside, outside_settings
from python_runner.engines.outside.engine import tokenizer_in
from python_runner.measure.load.level import Arrivals, Level
from python_runner.measure.load.plan import LoadPlan
from python_runner.measure.load.prompts import (
    as_prompts,
    with_shared_prefix,
    words_only,
)
from python_runner.measure.plan import PROMPT_IDS, PROMPT_TOKENS, Prompt
from python_runner.measure.prompts import make_prompts
from python_runner.models import Source
from python_runner.run.asked import prompts_of_load
from python_runner.run.preparation import reference_encoder, renderer
from python_runner.study import Load, Study

Encode = Callable[[str], tuple[int, ...]]
Render = Callable[[str], str]

_MOST_PROMPTS = 512
"""Of one level. Requests beyond that ask the same again, in the same order."""
_LEAST_PROMPTS = 32
_MOST_TOKENS = 200_000
"""Of all prompts of a level: making them is to take seconds."""
_START_TIMEOUT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a server of somebody else's is to be asked, besides what the study says."""

    model: str
    outside: Outside | None = None
    """None: an engine that is started here."""
    tokenizer: Path | None = None
    """Folder of the model's tokenizer, for prompts of an exact length."""
    context: int | None = None


def plan_of_model(
    study: Study, source: Source, settings: LaunchSettings, *, log: Path, progress: Progress
) -> LoadPlan:
    """The plan for engines that are started here, in the model's own tokens.

    Raises what `preparation.plan_for` raises.
    """
    load = load_of(study)
    render = renderer(study, source, settings)
    with reference_encoder(settings, log=log, progress=progress) as encode:
        made = _prompts(study, load, encode, render, context=study.context)
    _check_lengths(made, study)
    return _plan(study, load, made, Asked(model=settings.model.name))


def plan_of_outside(study: Study, asked: Asked) -> tuple[LaunchSettings, LoadPlan]:
    """The plan for a server of somebody else's, and what is known of how it runs.

    Raises:
        UsageError: a template that only a model's own files could give; no tokenizer there.
        StudyError: prompts that cannot be made.
    """
    load = load_of(study)
    if study.workload.template != "raw":
        raise UsageError(
            "a chat template is the server's own business here",
            hint="Use --dialect openai-chat or ollama-chat, and the template raw.",
        )
    encode = tokenizer_in(asked.tokenizer).encode if asked.tokenizer else None
    made = _prompts(study, load, encode, lambda text: text, context=asked.context)
    settings = outside_settings(
        asked.model,
        folder=asked.tokenizer,
        context=asked.context,
        timeout_s=_START_TIMEOUT_S,
    )
    return settings, _plan(study, load, made, asked)


def levels_of(load: Load) -> tuple[Level, ...]:
    """The levels of a load, in the order of the study."""

    def level(arrivals: Arrivals, users: int | None, rate: float | None) -> Level:
        return Level(
            arrivals=arrivals,
            users=users,
            rate=rate,
            requests=load.requests_of(users),
            duration_s=load.duration_s,
            ramp_s=load.ramp_s,
            warmup=load.warmup,
        )

    closed = [level(Arrivals.CLOSED, users, None) for users in load.users]
    opened = [level(Arrivals(load.arrivals), None, rate) for rate in load.rate]
    return (*closed, *opened)


@dataclass(frozen=True, kw_only=True)
class _Made:
    """Prompts in one row, and what is to be said of them."""

    prompts: tuple[Prompt, ...]
    a_level: int
    """So many for each level; the first of all is for the request before the load."""
    said: str


def load_of(study: Study) -> Load:
    """Its table `[load]`. Raises StudyError if it has none."""
    if study.load is None:
        raise StudyError(
            f"study {study.name}: has no table [load]",
            hint="See studies/load-demo.toml, or name another with --study.",
        )
    return study.load


def _plan(study: Study, load: Load, made: _Made, asked: Asked) -> LoadPlan:
    levels = levels_of(load)
    row = made.prompts[1:] or made.prompts
    # Each level begins with other prompts, so that a cache of the last one's is of no use.
    starts = [number * made.a_level % len(row) for number in range(len(levels))]
    return LoadPlan(
        levels=levels,
        first=made.prompts[0],
        prompts=tuple(_turn(row, start)[: made.a_level] for start in starts),
        new_tokens=study.workload.new_tokens,
        may_end=study.workload.may_end,
        template=study.workload.template,
        sampling=study.workload.sampling,
        seed=study.seed,
        prompt_cache=made.said,
        checks_tokens=not {PROMPT_TOKENS, PROMPT_IDS} & set(study.allow_unfair),
        timeout_s=load.timeout_s,
        keeps_answers=load.keep_answers,
        headers=asked.outside.headers if asked.outside else {},
        secrets=asked.outside.secrets if asked.outside else (),
        ca_file=asked.outside.ca_file if asked.outside else None,
    )


def _turn(row: Sequence[Prompt], start: int) -> tuple[Prompt, ...]:
    return (*row[start:], *row[:start])


def _prompts(
    study: Study, load: Load, encode: Encode | None, render: Render, *, context: int | None
) -> _Made:
    """`context`: that the prompts have to fit into; None: nobody knows."""
    asked = load.prompts
    if asked.text is not None:
        made = as_prompts([asked.text], encode=encode, render=render)
        return _Made(prompts=made, a_level=1, said="one prompt for all requests: caches help")
    if asked.file is not None:
        of_file = prompts_of_load(Path(asked.file), study, encode, render, context=context)
        return _Made(prompts=of_file.prompts, a_level=len(of_file.prompts), said=of_file.said)
    return _synthetic(study, load, encode, render)


def _synthetic(study: Study, load: Load, encode: Encode | None, render: Render) -> _Made:
    tokens, shared = study.workload.prompt_tokens, load.prompts.shared_prefix_tokens
    a_level = _prompts_of_a_level(load, tokens)
    count = 1 + a_level * len(load.users + load.rate)
    if encode is None:
        if shared:
            raise UsageError(
                "a shared prefix of so many tokens needs the model's tokenizer",
                hint="Name the folder that holds its tokenizer.json: --tokenizer FOLDER.",
            )
        made = words_only(count=count, words=tokens, seed=study.seed)
        said = f"{a_level} different prompts of {tokens} words a level"
    elif shared:
        made = with_shared_prefix(
            count=count,
            tokens=tokens,
            shared=shared,
            seed=study.seed,
            encode=encode,
            render=render,
        )
        said = f"all prompts share their first {shared} tokens; {a_level} different a level"
    else:
        made = make_prompts(
            count=count, tokens=tokens, seed=study.seed, encode=encode, render=render
        )
        said = f"{a_level} different prompts a level"
    return _Made(prompts=made, a_level=a_level, said=said)


def _prompts_of_a_level(load: Load, tokens: int) -> int:
    levels = [load.requests_of(users) for users in load.users] or [load.requests]
    requests = max(each or _MOST_PROMPTS for each in levels)
    if load.rate and load.duration_s:
        requests = min(requests, math.ceil(2 * max(load.rate) * load.duration_s))
    most = max(_LEAST_PROMPTS, min(_MOST_PROMPTS, _MOST_TOKENS // tokens))
    return max(1, min(requests, most))


def _check_lengths(made: _Made, study: Study) -> None:
    longest = max(len(prompt.ids) for prompt in made.prompts)
    if longest + study.workload.new_tokens > study.context:
        raise StudyError(
            f"context: {study.context} tokens are too few for a prompt of {longest} and "
            f"{study.workload.new_tokens} new ones",
            hint="Set a larger context, or ask for fewer tokens.",
        )
