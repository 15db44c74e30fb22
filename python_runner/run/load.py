"""Put loads on stacks, one stack after the other, from a study to its stored requests."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from python_runner.common.errors import SetupError, UsageError
from python_runner.common.host import describe_host
from python_runner.common.progress import Progress
from python_runner.engines.contract import Engine, EngineSpec, LaunchSettings, Reach
from python_runner.engines.outside import OutsideEngine
from python_runner.engines.served.load_client import LoadClient
from python_runner.engines.served.streaming import prepare_stream_client
from python_runner.engines.served.truth import prepare_client
from python_runner.engines.table import engine, engine_names
from python_runner.measure.facts import digest
from python_runner.measure.load.plan import LoadPlan
from python_runner.measure.load.probe import probe
from python_runner.measure.load.stack import LoadTools, measure_load
from python_runner.measure.stack import condition_of
from python_runner.run.building import build, in_order, without
from python_runner.run.calibration import CalibratorOnDemand
from python_runner.run.compare import find_engines, get_ready
from python_runner.run.endpoints import refuse_endpoints
from python_runner.run.load_plan import Asked, plan_of_model, plan_of_outside
from python_runner.run.preflight import Preflight, work_of_load
from python_runner.store import LoadRunRecorder, Step, Store
from python_runner.study import Load, Study

_FIRST_TOKENS = 2
_FIRST_TIMEOUT_S = 60.0
_OTHER_FILES = 128
"""Files besides connections: the store, logs, pipes, timers."""
_MOST_FILES = 65_536
"""More connections to one server than there are ports for."""
_SIDES = 2
"""While the client is calibrated, both ends of every connection are in this process."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What became of a load: its run in the store, and the stacks that ended early."""

    run_id: int
    broken: Mapping[str, str]
    """Stack name to reason."""
    not_built: frozenset[str] = frozenset()


def load(
    study: Study,
    store: Store,
    *,
    logs: Path,
    progress: Progress,
    on_begin: Callable[[int], None] | None = None,
    command: str = "",
) -> Loaded:
    """Start each served engine of `study` and put its levels on it.

    `on_begin` is called with the run's id when it is stored, before anything is measured.

    Raises:
        UsageError: an engine that is no server, before anything starts.
        SetupError, ModelError, UnfairError, KeyboardInterrupt: as `run.compare`.
    """
    engines = find_served(study)
    ready = get_ready(study, engines, progress)
    plan = plan_of_model(
        study, ready.source, ready.settings, log=logs / "tokenizer.log", progress=progress
    )
    preflight = Preflight(
        study=study,
        settings=ready.settings,
        work=work_of_load(study, plan),
        read=(plan.first,),
        logs=logs / "preflight",
        progress=progress,
    )
    checked = preflight.check(without(engines, ready.missing.keys() | ready.waiting))
    missing, failed = dict(ready.missing), dict(checked.failed)
    with LoadRunRecorder(store, study, describe_host(), command) as recorder:
        if on_begin is not None:
            on_begin(recorder.run_id)
        recorder.keep_facts(checked.facts, checked.unfair)
        recorder.keep_asked(prompts=prompts_mark(plan))
        run = Loading(
            settings_of=preflight.settings_of,
            plan=plan,
            recorder=recorder,
            logs=logs / f"run-{recorder.run_id:04d}",
            progress=progress,
        )
        order = in_order(engines, ready.waiting)
        for name, candidate in order:
            run.expect(name, candidate)
        for name, candidate in order:
            if name in ready.waiting and name not in missing:
                missing |= build({name: candidate}, progress)
                checked = preflight.check_late(without({name: candidate}, missing), checked)
                recorder.keep_facts(checked.facts, checked.unfair)
                failed |= checked.failed
            if name in missing | failed:
                run.leave_out(candidate, (missing | failed)[name])
            elif reason := run.measure(name, candidate):
                failed[name] = reason
    return Loaded(run_id=recorder.run_id, broken=failed | missing, not_built=frozenset(missing))


def load_outside(
    study: Study,
    store: Store,
    candidate: OutsideEngine,
    asked: Asked,
    *,
    logs: Path,
    progress: Progress,
    on_begin: Callable[[int], None] | None = None,
    command: str = "",
) -> Loaded:
    """Put the levels of `study` on a server that somebody else has started.

    `on_begin`: as `load`.
    """
    settings, plan = plan_of_outside(study, asked)
    with LoadRunRecorder(store, study, describe_host(), command) as recorder:
        recorder.keep_asked(outside=True)
        if on_begin is not None:
            on_begin(recorder.run_id)
        run = Loading(
            settings_of=lambda _spec: settings,
            plan=plan,
            recorder=recorder,
            logs=logs / f"run-{recorder.run_id:04d}",
            progress=progress,
        )
        name = candidate.spec.name
        run.expect(name, candidate)
        reason = run.measure(name, candidate)
    return Loaded(run_id=recorder.run_id, broken={name: reason} if reason else {})


def check_outside(
    study: Study, candidate: OutsideEngine, asked: Asked, *, log: Path, progress: Progress
) -> None:
    """Send one request that asks for next to nothing, and a whole one, before anything is stored.

    Raises:
        GenerationError: it is not answered; says why and what to look at.
        SetupError: the client cannot be built.
    """
    prepare_client(progress)
    settings, plan = plan_of_outside(study, asked)
    client = LoadClient(prepare_stream_client(progress))
    with progress.task(f"One request to {candidate.spec.title}"):
        running = candidate.start(settings, log)
        whole = plan.request(plan.first)
        # One that never answers is known sooner than after the time for a long answer.
        short = replace(whole, new_tokens=min(whole.new_tokens, _FIRST_TOKENS))
        limited = replace(plan.sending, timeout_s=min(plan.timeout_s, _FIRST_TIMEOUT_S))
        for request, sending in ((short, limited), (whole, plan.sending)):
            body = running.request_body(request)
            probe(client, running.endpoint, body, sending, secrets=plan.secrets)


def prompts_mark(plan: LoadPlan) -> str:
    """By what the prompts of a load are known again: its requests do not keep them."""
    return digest(prompt.text for level in plan.prompts for prompt in level)


def find_served(study: Study) -> dict[str, Engine]:
    """The engines of the study. Raises UsageError if one of them is no server."""
    engines = find_engines(study)
    refuse_endpoints(engines)
    embedded = [name for name, each in engines.items() if each.spec.reach is not Reach.SERVED]
    if embedded:
        raise UsageError(
            f"{', '.join(embedded)} runs in process and takes one request at a time: "
            "no load can be put on it",
            hint=f"These engines are servers: {', '.join(_served_names())}. "
            "A server of yours: --url.",
        )
    return engines


def _served_names() -> Iterator[str]:
    for name in engine_names():
        try:
            if engine(name).spec.reach is Reach.SERVED:
                yield name
        except SetupError:
            continue  # a plug-in that cannot be imported


def check_open_files(load: Load) -> str:
    """Make sure that every user can have a connection; raises the soft limit if it must.

    In an open loop nobody knows how many that will be: as many as there may be.

    Returns what was done, as a sentence; empty if nothing had to be.

    Raises:
        UsageError: the hard limit is too low; says which it is and how it is raised.
    """
    users = max(load.users, default=0)
    needed = _SIDES * users + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if load.rate:
        needed = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return ""
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UsageError(
            f"{users} users need {needed} open files, and this process may have {hard} "
            f"(soft limit {soft}, hard limit {hard})",
            hint=f"Ask for at most {max(0, hard - _OTHER_FILES) // _SIDES} users, or have the "
            f"limit raised: `ulimit -Hn {needed}` as root, or `nofile` in "
            "/etc/security/limits.conf, and log in again.",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return (
        f"This process may have {needed:,} open files now, one for each connection; its limit "
        f"was {soft:,}."
    )


@dataclass(frozen=True, kw_only=True)
class Loading:
    """What all stacks of a run share."""

    settings_of: Callable[[EngineSpec], LaunchSettings]
    plan: LoadPlan
    recorder: LoadRunRecorder
    logs: Path
    progress: Progress
    done: Mapping[str, int] = field(default_factory=dict)
    """Stack to its levels that were finished before the run was interrupted."""

    def expect(self, name: str, candidate: Engine) -> None:
        """Tell whoever follows the run that this stack's levels will come."""
        self.recorder.steps.expect(
            Step(
                stack=name,
                title=candidate.spec.title,
                number=number,
                requests=level.requests,
                timed=None if level.requests is None else level.requests - level.warmup,
                expected_s=level.duration_s,
            )
            for number, level in enumerate(self.plan.levels, start=1)
            if number > self.done.get(name, 0)
        )

    def measure(self, name: str, candidate: Engine) -> str:
        """Why the stack ended before its time, or an empty string."""
        done = self.done.get(name, 0)
        self.recorder.steps.begin(name, done + 1)
        tools = LoadTools(
            client=LoadClient(prepare_stream_client(self.progress)),
            calibrator=CalibratorOnDemand(self.progress),
        )
        return measure_load(
            candidate,
            self.settings_of(candidate.spec),
            self.plan,
            tools=tools,
            recorder=self.recorder,
            log=self.logs / f"{name}.log",
            progress=self.progress,
            done=done,
        )

    def leave_out(self, candidate: Engine, reason: str) -> None:
        """Record a stack that was never started."""
        self.recorder.begin(
            condition_of(candidate, self.settings_of(candidate.spec), self.plan, None)
        )
        self.recorder.finish(peak_memory_bytes=None, error=reason)
