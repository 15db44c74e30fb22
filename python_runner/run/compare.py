"""Run a study from its file to its samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.errors import UsageError
from python_runner.common.host import describe_host, physical_cores
from python_runner.common.progress import Progress
from python_runner.engines.contract import Engine, LaunchSettings
from python_runner.engines.table import engine
from python_runner.measure import Plan, measure_stack
from python_runner.measure.criteria import check_keys
from python_runner.measure.load.calibration import Calibrates
from python_runner.measure.sample import Condition
from python_runner.models import Source
from python_runner.run.building import build, build_what_is_quick, in_order, require_one, without
from python_runner.run.calibration import CalibratorOnDemand
from python_runner.run.preflight import (
    Checked,
    Preflight,
    check_what_is_asked,
    work_of,
)
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
    refused: frozenset[str] = frozenset()
    """Those of them that were built late, and would have done other work than the others."""
    was_interleaved: bool = False
    """Whether long builds lay between the stacks, so that they ran minutes apart."""


def compare(
    study: Study,
    store: Store,
    *,
    logs: Path,
    progress: Progress,
    on_part: Callable[[int], None] | None = None,
) -> Comparison:
    """Build what is missing, make the model, measure every stack of `study`.

    A stack that cannot be built or started is recorded as such; the others go on. Stacks
    that need a long build are measured after those that are ready.

    Args:
        study: what to compare.
        store: where each sample is kept the moment it ends.
        logs: folder for the engines' own output.
        progress: shows long work.
        on_part: called with the run's id when some stacks are done and a long build comes next.

    Raises:
        UnknownNameError: an engine or model that does not exist, before anything starts.
        SetupError: not one of the stacks can be built.
        ModelError: the weights could not be made, or do not fit on this machine.
        UnfairError: the stacks would not do the same work; nothing was timed.
        KeyboardInterrupt: passed on after the run is marked as interrupted; no process
            is left, and finished samples are kept.
    """
    engines = find_engines(study)
    ready = get_ready(study, engines, progress)
    log = logs / "tokenizer.log"
    plan = plan_for(study, ready.source, ready.settings, log=log, progress=progress)
    preflight = _preflight(study, ready, plan, logs, progress)
    checked = preflight.check(without(engines, ready.missing.keys() | ready.waiting))
    with RunRecorder(store, study, describe_host()) as recorder:
        recorder.keep_facts(checked.facts, checked.unfair)
        run = _Run(
            preflight=preflight,
            plan=plan,
            calibrator=CalibratorOnDemand(progress),
            recorder=recorder,
            logs=logs / f"run-{recorder.run_id:04d}",
            progress=progress,
        )
        return _measure_all(engines, ready, run, checked, on_part)


def _measure_all(
    engines: Mapping[str, Engine],
    ready: Ready,
    run: _Run,
    checked: Checked,
    on_part: Callable[[int], None] | None,
) -> Comparison:
    """Every stack, those last that are still to be built."""
    recorder = run.recorder
    missing, failed = dict(ready.missing), dict(checked.failed)
    for name, candidate in in_order(engines, ready.waiting):
        if name in ready.waiting and name not in missing:
            if on_part is not None:
                on_part(recorder.run_id)
            missing |= build({name: candidate}, run.progress)
            checked = run.preflight.check_late(without({name: candidate}, missing), checked)
            recorder.keep_facts(checked.facts, checked.unfair)
            failed |= checked.failed
        if name in missing | failed:
            run.leave_out(candidate, (missing | failed)[name])
        elif reason := run.measure(name, candidate):
            failed[name] = reason
    return Comparison(
        run_id=recorder.run_id,
        broken=failed | missing,
        not_built=frozenset(missing),
        refused=checked.refused,
        was_interleaved=bool(ready.waiting),
    )


def _preflight(study: Study, ready: Ready, plan: Plan, logs: Path, progress: Progress) -> Preflight:
    return Preflight(
        study=study,
        settings=ready.settings,
        work=work_of(plan),
        read=plan.prompts,
        logs=logs / "preflight",
        progress=progress,
    )


@dataclass(frozen=True, kw_only=True)
class Ready:
    """What there is before prompts are made and the first stack is started."""

    source: Source
    settings: LaunchSettings
    missing: Mapping[str, str]
    """Stacks that will not run, with the reason."""
    waiting: frozenset[str]
    """Stacks that are built when the others have been measured."""


def get_ready(study: Study, engines: Mapping[str, Engine], progress: Progress) -> Ready:
    """Tell what it will take, build what is quick, make the model."""
    source = choose_source(study)
    tell_choice(study, source, progress)
    missing = unreadable(source, engines)
    check_what_is_asked(study, source, without(engines, missing))
    needs = needs_of(source, study, without(engines, missing))
    tell(source, needs, progress)
    missing |= refuse_what_cannot_fit(source, needs)
    for reason in missing.values():
        progress.say(f"Left out: {reason}")
    builds = build_what_is_quick(without(engines, missing), progress)
    missing |= builds.missing
    require_one(engines, missing)
    found = model_for(source, study, without(engines, missing), progress)
    settings = LaunchSettings(
        model=found.model,
        precision=precision_of(source, study),
        device=study.device,
        threads=study.threads or physical_cores(),
        context=study.context,
        slots=study.load.slots if study.load else 1,
    )
    return Ready(
        source=source,
        settings=settings,
        missing={**missing, **found.unread},
        waiting=builds.waiting,
    )


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What all stacks of a run share."""

    preflight: Preflight
    plan: Plan
    calibrator: Calibrates
    recorder: RunRecorder
    logs: Path
    progress: Progress

    def measure(self, name: str, candidate: Engine) -> str:
        """Why the stack ended before its time, or an empty string."""
        return measure_stack(
            candidate,
            self.preflight.settings_of(candidate.spec),
            self.plan,
            recorder=self.recorder,
            log=self.logs / f"{name}.log",
            progress=self.progress,
            calibrator=self.calibrator,
        )

    def leave_out(self, candidate: Engine, reason: str) -> None:
        """Record a stack that was never started."""
        self.recorder.begin(
            Condition(
                engine=candidate.spec,
                settings=self.preflight.settings_of(candidate.spec),
                template=self.plan.template,
                sampling=self.plan.sampling,
                prompt_cache=self.plan.prompt_cache,
            )
        )
        self.recorder.finish(peak_memory_bytes=None, error=reason)


def find_engines(study: Study) -> dict[str, Engine]:
    """The engines of the study, by name.

    What can be known to be wrong is said here, before anything is built or written.

    Raises:
        UnknownNameError: an engine or model that does not exist.
        UsageError: an engine that does not run in the study's precision, or a path where
            no model lies.
        ModelError: what lies there is no model that can be run.
    """
    check_keys(study.allow_unfair)
    source = choose_source(study)
    engines = {name: engine(name) for name in study.stacks}
    if source.gguf is not None:
        # It has a precision of its own, which those who read GGUF take as it is.
        unreadable(source, engines)
        return engines
    for name, candidate in engines.items():
        if study.precision not in candidate.spec.formats:
            raise UsageError(
                f"{name} does not run {study.precision}",
                hint=f"It runs {', '.join(candidate.spec.formats)}. Leave it out with --stacks, "
                "or choose another --precision.",
            )
    return engines
