"""Run a study from its file to its samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.errors import SetupError, UsageError, reason_of
from python_runner.common.host import describe_host, physical_cores
from python_runner.common.progress import Progress
from python_runner.engines.contract import Engine, LaunchSettings
from python_runner.engines.table import engine
from python_runner.measure import Plan, make_prompts, measure_stack
from python_runner.measure.sample import Condition
from python_runner.models import (
    ReferenceTokenizer,
    prepare_model,
    render_prompt,
    require_memory,
    require_model,
)
from python_runner.store import RunRecorder, Store
from python_runner.study import Study

_TEMPLATE_PREFIX = "every prompt differs from its first token on"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What became of a study: its run in the store, and the stacks that gave no full set."""

    run_id: int
    broken: Mapping[str, str]
    """Stack name to reason."""
    not_built: frozenset[str] = frozenset()
    """Those of them that could not be built, and so were never started."""


def compare(study: Study, store: Store, *, logs: Path, progress: Progress) -> Comparison:
    """Build what is missing, make the model, measure every stack of `study`.

    A stack that cannot be built or started is recorded as such; the others go on.

    Args:
        study: what to compare.
        store: where each sample is kept the moment it ends.
        logs: folder for the engines' own output.
        progress: shows long work.

    Raises:
        UnknownNameError: an engine or model that does not exist, before anything starts.
        SetupError: not one of the stacks can be built.
        ModelError: the model does not fit into memory, or its weights could not be made.
        KeyboardInterrupt: passed on after the run is marked as interrupted; no process
            is left, and finished samples are kept.
    """
    engines = find_engines(study)
    require_memory(require_model(study.model))
    missing = _prepare(engines, progress)
    settings, plan = _settings_and_plan(study, engines, progress)
    broken = dict(missing)
    with RunRecorder(store, study, describe_host()) as recorder:
        for name, candidate in engines.items():
            if name in missing:
                recorder.begin(_never_started(candidate, settings, plan))
                recorder.finish(peak_memory_bytes=None, error=missing[name])
                continue
            error = measure_stack(
                candidate,
                settings,
                plan,
                recorder=recorder,
                log=logs / f"run-{recorder.run_id:04d}" / f"{name}.log",
                progress=progress,
            )
            if error:
                broken[name] = error
    return Comparison(run_id=recorder.run_id, broken=broken, not_built=frozenset(missing))


def find_engines(study: Study) -> dict[str, Engine]:
    """The engines of the study, by name.

    What can be known to be wrong is said here, before anything is built or written.

    Raises:
        UnknownNameError: an engine or model that does not exist.
        UsageError: an engine that does not run in the study's precision.
    """
    require_model(study.model)
    engines = {name: engine(name) for name in study.stacks}
    for name, candidate in engines.items():
        if study.precision not in candidate.spec.precisions:
            raise UsageError(
                f"{name} does not run {study.precision}",
                hint=f"It runs {', '.join(candidate.spec.precisions)}. Leave it out with --stacks, "
                "or choose another --precision.",
            )
    return engines


def _prepare(engines: Mapping[str, Engine], progress: Progress) -> dict[str, str]:
    """Build every engine; returns the reason for each that cannot be built."""
    missing: dict[str, str] = {}
    for name, candidate in engines.items():
        try:
            candidate.prepare(progress)
        except (SetupError, OSError) as error:
            missing[name] = reason_of(error)
            progress.say(f"{candidate.spec.title} is left out: {missing[name]}")
    if len(missing) == len(engines):
        raise SetupError(
            "no stack of this study can be built:\n"
            + "\n".join(f"  {name}: {reason}" for name, reason in missing.items()),
            hint="Install what is named above and run the command again.",
        )
    return missing


def _settings_and_plan(
    study: Study, engines: Mapping[str, Engine], progress: Progress
) -> tuple[LaunchSettings, Plan]:
    formats = {candidate.spec.model_format for candidate in engines.values()}
    model = prepare_model(study.model, formats, study.precision, progress)
    work = study.workload
    prompts = make_prompts(
        count=study.warmup + study.iterations,
        tokens=work.prompt_tokens,
        seed=study.seed,
        encode=ReferenceTokenizer(model.folder).encode,
        render=lambda text: render_prompt(work.template, text),
    )
    settings = LaunchSettings(
        model=model,
        precision=study.precision,
        device=study.device,
        threads=study.threads or physical_cores(),
        context=study.context,
    )
    plan = Plan(
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
    return settings, plan


def _never_started(candidate: Engine, settings: LaunchSettings, plan: Plan) -> Condition:
    return Condition(
        engine=candidate.spec,
        settings=settings,
        template=plan.template,
        sampling=plan.sampling,
        prompt_cache=plan.prompt_cache,
    )
