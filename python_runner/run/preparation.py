"""From a study to what all its stacks are given: one model and one plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from python_runner.common.errors import (
    ConversionError,
    PolystackError,
    SetupError,
    UsageError,
)
from python_runner.common.progress import Progress
from python_runner.engines.build.gptq import gptq_packages
from python_runner.engines.build.llamacpp import llama_quantize
from python_runner.engines.contract import Engine, LaunchSettings
from python_runner.engines.llama.gguf_tokenizer import gguf_encoder
from python_runner.measure import Block, Plan, Prompt, make_blocks, make_prompts
from python_runner.measure.load.prompts import with_shared_prefix
from python_runner.models import Model, ReferenceTokenizer, Source, find_source, prepare_source
from python_runner.models.chat import folder_chat_template, prompt_renderer
from python_runner.models.gptq import KIND as GPTQ
from python_runner.run.asked import AskedPrompts, prompts_of_file
from python_runner.study import Study

_TEMPLATE_PREFIX = "every prompt differs from its first token on"


def unreadable(source: Source, engines: Mapping[str, Engine]) -> dict[str, str]:
    """The stacks that cannot read the model in any form that can be had, with the reason.

    Raises:
        UsageError: none of them can.
    """
    if source.gguf is None or not engines:
        return {}
    reasons = {
        name: f"{candidate.spec.title} reads safetensors, and {source.label} is a GGUF file alone"
        for name, candidate in engines.items()
        if candidate.spec.model_format != "gguf"
    }
    if len(reasons) == len(engines):
        raise UsageError(
            f"no stack of this study reads {source.label}, a GGUF file alone",
            hint="llama.cpp and ollama do: --stacks llama.cpp,ollama.",
        )
    return reasons


def precision_of(source: Source, study: Study) -> str:
    """The study's precision; that of the file, if the model is a GGUF file alone."""
    return source.gguf.precision if source.gguf else study.precision


def ggufs_of(study: Study, engines: Mapping[str, Engine]) -> frozenset[str]:
    """The types of GGUF file that the engines read in the study's precision."""
    formats = (candidate.spec.formats[study.precision] for candidate in engines.values())
    return frozenset(each.gguf for each in formats if each.gguf)


def ct2_of(study: Study, engines: Mapping[str, Engine]) -> frozenset[str]:
    """The kinds of CTranslate2's folder that the engines read in the study's precision."""
    formats = (candidate.spec.formats[study.precision] for candidate in engines.values())
    return frozenset(each.ct2 for each in formats if each.ct2)


def gptq_of(study: Study, engines: Mapping[str, Engine]) -> frozenset[str]:
    """`int4` if an engine reads GPTQ's format in the study's precision."""
    formats = (candidate.spec.formats[study.precision] for candidate in engines.values())
    return frozenset(GPTQ for each in formats if each.gptq)


@dataclass(frozen=True, kw_only=True)
class ModelForStacks:
    """The model of a study, and the stacks that cannot have it."""

    model: Model
    unread: Mapping[str, str]
    """Stack name to the reason why it cannot read this model."""


def choose_source(study: Study) -> Source:
    """The first of the study's models that is on this disk; else the last.

    Raises what `find_source` raises.
    """
    sources = [find_source(reference) for reference in study.model]
    return next((source for source in sources if source.is_ready), sources[-1])


def tell_choice(study: Study, chosen: Source, progress: Progress) -> None:
    """Say which model is run, if the study would rather have had another."""
    preferred = find_source(study.model[0])
    if chosen != preferred:
        progress.say(
            f"{preferred.name} is not on this disk: {chosen.name} ({chosen.label}) is run in its "
            f"place. To get it: polystack compare --model {preferred.name}"
        )


def model_for(
    source: Source, study: Study, engines: Mapping[str, Engine], progress: Progress
) -> ModelForStacks:
    """Make what `engines` read of the model.

    Where the model cannot be converted for some engines, the others go on without them.

    Raises:
        ModelError, SetupError: no engine can have it.
    """
    if source.gguf is not None:
        return ModelForStacks(model=prepare_source(source, (), progress), unread={})
    wanted = {
        "gguf": ggufs_of(study, engines),
        "ctranslate2": ct2_of(study, engines),
        "gptq": gptq_of(study, engines),
    }
    unread: dict[str, str] = {}
    for form, kinds in wanted.items():
        try:
            _prepare(source, {form: kinds}, progress)
        except (ConversionError, SetupError) as error:
            those = [name for name, each in engines.items() if each.spec.model_format == form]
            unread |= dict.fromkeys(those, _reason(error))
            if len(unread) == len(engines):
                raise
            progress.say(f"{', '.join(those)} left out: {_reason(error)}")
            wanted[form] = frozenset()
    return ModelForStacks(model=_prepare(source, wanted, progress), unread=unread)


def _prepare(source: Source, wanted: Mapping[str, frozenset[str]], progress: Progress) -> Model:
    """The model with these forms, by `model_format`."""
    none: frozenset[str] = frozenset()
    return prepare_source(
        source,
        wanted.get("gguf", none),
        progress,
        quantiser=llama_quantize,
        ct2=wanted.get("ctranslate2", none),
        gptq=gptq_packages if wanted.get("gptq") else None,
    )


def plan_for(
    study: Study, source: Source, settings: LaunchSettings, *, log: Path, progress: Progress
) -> Plan:
    """The prompts of the study, made or of a file, in the model's own tokens.

    Raises:
        SetupError, EngineError: the tokenizer of a GGUF file alone cannot be read.
        StudyError: no prompts of that length, or too few in a file, or too long ones.
        UsageError: a template that the model does not have, or a file that holds no prompts.
    """
    work = study.workload
    render = renderer(study, source, settings)
    again = warmup_again(study)
    with reference_encoder(settings, log=log, progress=progress) as encode:
        if work.prompts:
            asked = prompts_of_file(study, encode, render)
        else:
            made = _maker(study)(
                count=study.warmup + study.most_iterations + again,
                tokens=work.prompt_tokens,
                seed=study.seed,
                encode=encode,
                render=render,
            )
            asked = AskedPrompts(prompts=made, said=_cache_words(study))
    return Plan(
        warmup=study.warmup,
        warmup_again=again,
        # A later visit is warmed up in a new process, which has never seen the first prompt.
        prompts=(*asked.prompts, *asked.prompts[:1] * again) if work.prompts else asked.prompts,
        new_tokens=work.new_tokens,
        may_end=work.may_end,
        template=work.template,
        sampling=work.sampling,
        seed=study.seed,
        may_differ=frozenset(study.allow_unfair),
        retries=study.retries,
        timeout_s=study.timeout_s,
        stall_timeout_s=study.stall_timeout_s,
        prompt_cache=asked.said,
    )


def warmup_again(study: Study) -> int:
    """Warm-up requests of all visits after the first: one each, or none if it has none.

    The first visit finds weights on the disk, later ones in memory; what is left to warm up
    then is the new process.
    """
    visits = sum(len(blocks) for blocks in rounds_of(study))
    return (visits - 1) * min(study.warmup, 1)


def rounds_of(study: Study) -> list[tuple[Block, ...]]:
    """All blocks that a study can have: those of its `iterations`, then of what may follow."""
    rounds: list[tuple[Block, ...]] = []
    done, blocks = 0, 0
    while done < study.most_iterations:
        count = min(study.iterations, study.most_iterations - done)
        rounds.append(
            make_blocks(count, study.blocks, first_number=blocks + 1, first_iteration=done + 1)
        )
        done += count
        blocks += len(rounds[-1])
    return rounds


def _maker(study: Study) -> Callable[..., tuple[Prompt, ...]]:
    """What makes the prompts: by default such that no two begin alike."""
    shared = study.workload.shared_prefix_tokens
    if not shared:
        return make_prompts
    return partial(with_shared_prefix, shared=shared, key="workload.shared_prefix_tokens")


def _cache_words(study: Study) -> str:
    """What a prompt cache finds."""
    work = study.workload
    if work.shared_prefix_tokens:
        return f"all prompts share their first {work.shared_prefix_tokens} tokens: a cache helps"
    if work.template == "chat":
        return "unique prompts: only the template's opening is shared"
    return f"unique prompts: {_TEMPLATE_PREFIX}"


def renderer(study: Study, source: Source, settings: LaunchSettings) -> Callable[[str], str]:
    """Puts a text into the study's template. Raises UsageError if the model has none."""
    model = settings.model
    return prompt_renderer(
        study.workload.template,
        lambda: source.gguf.chat_template if source.gguf else folder_chat_template(model.folder),
        name=model.name,
    )


@contextmanager
def reference_encoder(
    settings: LaunchSettings, *, log: Path, progress: Progress
) -> Iterator[Callable[[str], tuple[int, ...]]]:
    """What the token ids of all engines are compared with."""
    if settings.model.has_safetensors:
        yield ReferenceTokenizer(settings.model.folder).encode
    else:
        with gguf_encoder(settings, log=log, progress=progress) as encode:
            yield encode


def _reason(error: PolystackError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
