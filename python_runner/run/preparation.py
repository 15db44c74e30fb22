"""From a study to what all its stacks are given: one model and one plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from python_runner.common.errors import ConversionError, ModelError
from python_runner.common.progress import Progress
from python_runner.engines.contract import Engine
from python_runner.measure import Plan, make_prompts
from python_runner.models import Model, ReferenceTokenizer, Source, find_source, prepare_source
from python_runner.models.chat import folder_chat_template, prompt_renderer
from python_runner.study import Study

_TEMPLATE_PREFIX = "every prompt differs from its first token on"


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
        ModelError: no engine can have it.
    """
    formats = {candidate.spec.model_format for candidate in engines.values()}
    try:
        model = prepare_source(source, formats, study.precision, progress)
        return ModelForStacks(model=model, unread={})
    except ConversionError as error:
        unread = {
            name: _reason(error)
            for name, candidate in engines.items()
            if candidate.spec.model_format == "gguf"
        }
        if len(unread) == len(engines):
            raise
    progress.say(f"{', '.join(unread)} left out: {next(iter(unread.values()))}")
    model = prepare_source(source, formats - {"gguf"}, study.precision, progress)
    return ModelForStacks(model=model, unread=unread)


def plan_for(study: Study, model: Model) -> Plan:
    """The prompts of the study, in the model's own tokens.

    Raises:
        StudyError: no prompts of that length.
        UsageError: a template that the model does not have.
    """
    work = study.workload
    prompts = make_prompts(
        count=study.warmup + study.iterations,
        tokens=work.prompt_tokens,
        seed=study.seed,
        encode=ReferenceTokenizer(model.folder).encode,
        render=prompt_renderer(
            work.template, lambda: folder_chat_template(model.folder), name=model.name
        ),
    )
    return Plan(
        warmup=study.warmup,
        prompts=prompts,
        new_tokens=work.new_tokens,
        template=work.template,
        sampling=work.sampling,
        seed=study.seed,
        prompt_cache="unique prompts: "
        + (
            "only the template's opening is shared" if work.template == "chat" else _TEMPLATE_PREFIX
        ),
    )


def _reason(error: ModelError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
