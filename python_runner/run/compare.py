"""Run a study from its file to its samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from python_runner.common.errors import UsageError
from python_runner.common.host import describe_host, physical_cores
from python_runner.common.progress import Progress
from python_runner.engines.contract import Engine, LaunchSettings
from python_runner.measure import Block, NoiseProbe, Plan
from python_runner.measure.criteria import check_keys
from python_runner.models import Source
from python_runner.run.building import build, build_what_is_quick, require_one, without
from python_runner.run.calibration import CalibratorOnDemand
from python_runner.run.devices import check_devices
from python_runner.run.endpoints import engines_of, started_here
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
    rounds_of,
    tell_choice,
    unreadable,
)
from python_runner.run.sizes import needs_of, refuse_what_cannot_fit, tell
from python_runner.run.tour import Tools, Tour
from python_runner.run.until import go_on_until_narrow
from python_runner.run.variants import check_variants
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
    late: frozenset[str] = frozenset()
    """Stacks that were built after the first block, which they share with nobody."""


def compare(
    study: Study,
    store: Store,
    *,
    logs: Path,
    progress: Progress,
    on_begin: Callable[[int], None] | None = None,
    on_part: Callable[[int], None] | None = None,
    probe: NoiseProbe | None = None,
    command: str = "",
) -> Comparison:
    """Build what is missing, make the model, measure every stack of `study` in blocks.

    A stack that cannot be built or started is recorded as such; the others go on. Stacks
    that need a long build are built after the first block of those that are ready.

    Args:
        study: what to compare.
        store: where each sample is kept the moment it ends.
        logs: folder for the engines' own output.
        progress: shows long work.
        on_begin: called with the run's id when it is stored, before anything is measured.
        on_part: called with the run's id when there are figures and a long build comes next.
        probe: looks at the machine before each request; None: nobody does.
        command: what was typed, to be kept with the run.

    Raises:
        UnknownNameError: an engine or model that does not exist, before anything starts.
        SetupError: not one of the stacks can be built.
        ModelError: the weights could not be made, or do not fit on this machine.
        UnfairError: the stacks would not do the same work; nothing was timed.
        KeyboardInterrupt: passed on; no process is left, and finished samples are kept.
    """
    engines = find_engines(study)
    ready = get_ready(study, engines, progress)
    log = logs / "tokenizer.log"
    plan = plan_for(study, ready.source, ready.settings, log=log, progress=progress)
    preflight = preflight_of(study, ready, plan, logs, progress)
    checked = preflight.check(without(engines, ready.missing.keys() | ready.waiting))
    with RunRecorder(store, study, describe_host(), command) as recorder:
        if on_begin is not None:
            on_begin(recorder.run_id)
        recorder.keep_facts(checked.facts, checked.unfair)
        recorder.keep_attempts(checked.attempts)
        tour = Tour(tools_of(plan, preflight, recorder, probe, logs=logs, progress=progress))
        course = _Course(engines, ready.waiting, tour, preflight, on_part)
        found = course.run(rounds_of(study)[0], _Found(missing=ready.missing, checked=checked))
        go_on_until_narrow(study, tour, without(engines, found.left_out))
    return Comparison(
        run_id=recorder.run_id,
        broken=tour.ended | found.left_out,
        not_built=frozenset(found.missing),
        refused=found.checked.refused,
        late=ready.waiting - found.left_out.keys(),
    )


def tools_of(
    plan: Plan,
    preflight: Preflight,
    recorder: RunRecorder,
    probe: NoiseProbe | None,
    *,
    logs: Path,
    progress: Progress,
) -> Tools:
    """What the visits of a comparison share."""
    return Tools(
        settings_of=preflight.settings_of,
        plan=plan,
        calibrator=CalibratorOnDemand(progress),
        probe=probe,
        recorder=recorder,
        logs=logs / f"run-{recorder.run_id:04d}",
        progress=progress,
    )


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What is known of the stacks before they are visited."""

    missing: Mapping[str, str]
    """Stacks that could not be built, with the reason."""
    checked: Checked

    @property
    def left_out(self) -> dict[str, str]:
        """All that are not visited, with the reason."""
        return {**self.missing, **self.checked.failed}


@dataclass(frozen=True)
class _Course:
    """All visits of a run, long builds among them."""

    engines: Mapping[str, Engine]
    waiting: frozenset[str]
    """Those that need a long build."""
    tour: Tour
    preflight: Preflight
    on_part: Callable[[int], None] | None

    def run(self, blocks: Sequence[Block], found: _Found) -> _Found:
        """All blocks, and the long builds after the first.

        A stack that was built late does what it missed in a block of its own at the end: it
        lay far from the first block of the others, and is not held against it.
        """
        for name, reason in found.left_out.items():
            self.tour.leave_out(self.engines[name], reason)
        late = without(self.engines, self.engines.keys() - self.waiting | found.left_out.keys())
        if not late:
            self.tour.visit(blocks, without(self.engines, found.left_out))
            return found
        first, *later = blocks
        made_up = replace(first, number=first.number + len(blocks) if later else first.number)
        ready = without(self.engines, found.left_out.keys() | late.keys())
        self.tour.expect((first,), ready)
        self.tour.expect(later, without(self.engines, found.left_out))
        self.tour.expect((made_up,), late)
        self.tour.visit((first,), ready)
        if self.on_part is not None:
            self.on_part(self.tour.tools.recorder.run_id)
        found = self._build(late, found)
        self.tour.visit(later, without(self.engines, found.left_out))
        self.tour.visit((made_up,), without(late, found.left_out))
        return found

    def _build(self, late: Mapping[str, Engine], found: _Found) -> _Found:
        """Build what takes long, and look at it."""
        tools = self.tour.tools
        unbuilt = build(late, tools.progress)
        checked = found.checked
        for name, candidate in without(late, unbuilt).items():
            checked = self.preflight.check_late({name: candidate}, checked)
        tools.recorder.keep_facts(checked.facts, checked.unfair)
        tools.recorder.keep_attempts(checked.attempts[len(found.checked.attempts) :])
        now = _Found(missing={**found.missing, **unbuilt}, checked=checked)
        for name in late.keys() & now.left_out.keys():
            self.tour.leave_out(late[name], now.left_out[name])
        return now


def preflight_of(
    study: Study, ready: Ready, plan: Plan, logs: Path, progress: Progress
) -> Preflight:
    """What looks at the stacks of a comparison."""
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
    ours = started_here(engines)
    missing = unreadable(source, ours)
    check_what_is_asked(study, source, without(engines, missing))
    needs = needs_of(source, study, without(ours, missing))
    tell(source, needs, progress)
    missing |= refuse_what_cannot_fit(source, needs)
    for reason in missing.values():
        progress.say(f"Left out: {reason}")
    builds = build_what_is_quick(without(engines, missing), progress)
    missing |= builds.missing
    require_one(engines, missing)
    found = model_for(source, study, without(ours, missing), progress)
    settings = LaunchSettings(
        model=found.model,
        precision=precision_of(source, study),
        device=study.device,
        threads=study.threads or physical_cores(),
        context=study.context,
        slots=study.load.slots if study.load else 1,
        start_timeout_s=study.start_timeout_s,
    )
    return Ready(
        source=source,
        settings=settings,
        missing={**missing, **found.unread},
        waiting=builds.waiting,
    )


def find_engines(study: Study) -> dict[str, Engine]:
    """The engines of the study, by name.

    What can be known to be wrong is said here, before anything is built or written.

    Raises:
        UnknownNameError: an engine or model that does not exist.
        UsageError: an engine that does not run in the study's precision or on its device, a
            variant that cannot be run, or a path where no model lies.
        ModelError: what lies there is no model that can be run.
    """
    check_keys(study.allow_unfair)
    source = choose_source(study)
    engines = engines_of(study)
    ours = started_here(engines)
    check_devices(study.device, ours)
    check_variants(study, source, ours)
    if source.gguf is not None:
        # It has a precision of its own, which those who read GGUF take as it is.
        unreadable(source, ours)
        return engines
    for name, candidate in ours.items():
        if study.precision not in candidate.spec.formats:
            raise UsageError(
                f"{name} does not run {study.precision}",
                hint=f"It runs {', '.join(candidate.spec.formats)}. Leave it out with --stacks, "
                "or choose another --precision.",
            )
    return engines
