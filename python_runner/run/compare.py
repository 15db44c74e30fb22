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
from python_runner.measure import Plan, measure_stack
from python_runner.measure.sample import Condition
from python_runner.run.preparation import (
    choose_source,
    model_for,
    plan_for,
    precision_of,
    tell_choice,
    unreadable,
)
from python_runner.run.sizes import needs_of, refuse_what_cannot_fit, tell
from python_runner.store import RunRecorder, Store
from python_runner.study import Study


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
        ModelError: the weights could not be made, or do not fit on this machine.
        KeyboardInterrupt: passed on after the run is marked as interrupted; no process
            is left, and finished samples are kept.
    """
    engines = find_engines(study)
    source = choose_source(study)
    tell_choice(study, source, progress)
    missing = unreadable(source, engines)
    needs = needs_of(source, study, _without(engines, missing))
    tell(source, needs, progress)
    missing |= refuse_what_cannot_fit(source, needs)
    for reason in missing.values():
        progress.say(f"Left out: {reason}")
    missing |= _prepare(_without(engines, missing), progress)
    found = model_for(source, study, _without(engines, missing), progress)
    missing |= found.unread
    settings = LaunchSettings(
        model=found.model,
        precision=precision_of(source, study),
        device=study.device,
        threads=study.threads or physical_cores(),
        context=study.context,
    )
    plan = plan_for(study, source, settings, log=logs / "tokenizer.log", progress=progress)
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
        UsageError: an engine that does not run in the study's precision, or a path where
            no model lies.
        ModelError: what lies there is no model that can be run.
    """
    source = choose_source(study)
    engines = {name: engine(name) for name in study.stacks}
    if source.gguf is not None:
        # It has a precision of its own, which those who read GGUF take as it is.
        unreadable(source, engines)
        return engines
    for name, candidate in engines.items():
        if study.precision not in candidate.spec.precisions:
            raise UsageError(
                f"{name} does not run {study.precision}",
                hint=f"It runs {', '.join(candidate.spec.precisions)}. Leave it out with --stacks, "
                "or choose another --precision.",
            )
    return engines


def _without(engines: Mapping[str, Engine], missing: Mapping[str, str]) -> dict[str, Engine]:
    return {name: candidate for name, candidate in engines.items() if name not in missing}


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


def _never_started(candidate: Engine, settings: LaunchSettings, plan: Plan) -> Condition:
    return Condition(
        engine=candidate.spec,
        settings=settings,
        template=plan.template,
        sampling=plan.sampling,
        prompt_cache=plan.prompt_cache,
    )
