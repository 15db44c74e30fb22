"""One stack under load: start it, try it, then level by level calibrate and drive."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from python_runner.common.clock import Clocks
from python_runner.common.errors import EngineError, UsageError, reason_of
from python_runner.common.memory_end import with_memory_named
from python_runner.common.progress import Progress
from python_runner.engines.contract import (
    Engine,
    LaunchSettings,
    RunningEngine,
    Served,
)
from python_runner.engines.ending import SaysItsEnd
from python_runner.measure.held_back import HeldBack
from python_runner.measure.load.calibration import Calibrates, Pace, calibrate
from python_runner.measure.load.drive import Client, Driven, drive
from python_runner.measure.load.level import Level, LoadRecorder
from python_runner.measure.load.plan import LoadPlan
from python_runner.measure.load.probe import Probe, probe
from python_runner.measure.load.shapes import shape_of, streams_of
from python_runner.measure.memory import PeakMemory
from python_runner.measure.network import look_at_network
from python_runner.measure.preflight import check_tokens
from python_runner.measure.resources import processes_below
from python_runner.measure.stack import NO_VERSION, condition_of
from python_runner.measure.time_watch import TimeWatch


@dataclass(frozen=True, kw_only=True)
class LoadTools:
    """What puts a load on a server, and what measures its error."""

    client: Client
    calibrator: Calibrates | None
    """None: loads are not calibrated, and the results say so."""
    clocks: Clocks | None = None
    """By which a sleep of the machine is known; the system's, if None."""


def measure_load(
    engine: Engine,
    settings: LaunchSettings,
    plan: LoadPlan,
    *,
    tools: LoadTools,
    recorder: LoadRecorder,
    log: Path,
    progress: Progress,
    done: int = 0,
) -> str:
    """Put the levels of `plan` on one engine; requests go to `recorder` as they end.

    The first `done` of them an interrupted run has already. Returns why the stack ended before its
    time, or an empty string. Whatever the engine does is a result, not an exception.
    """
    spec = engine.spec
    title = f"{spec.title} ({spec.language}, {spec.reach})"
    try:
        with progress.task(f"{title}: loading the model"):
            running = engine.start(settings, log)
    except Exception as failure:  # whatever it is, the others go on
        error = with_memory_named(reason_of(failure))
        recorder.begin(condition_of(engine, settings, plan, None))
        recorder.finish(peak_memory_bytes=None, error=error)
    else:
        with running:
            error = _Stack(
                running=running,
                engine=engine,
                settings=settings,
                plan=plan,
                tools=tools,
                recorder=recorder,
                progress=progress,
                done=done,
            ).measure()
    if error:
        progress.say(f"{title} ended early: {error}")
    return error


def level_title(level: Level) -> str:
    """`16 users`, `2.5 requests/s`."""
    if level.users is not None:
        return "1 user" if level.users == 1 else f"{level.users} users"
    return f"{level.rate:g} requests/s, {level.arrivals}"


@dataclass(frozen=True, kw_only=True)
class _Stack:
    """A stack that has started."""

    running: RunningEngine
    engine: Engine
    settings: LaunchSettings
    plan: LoadPlan
    tools: LoadTools
    recorder: LoadRecorder
    progress: Progress
    done: int

    def measure(self) -> str:
        """All levels; returns why it was broken off, or an empty string."""
        running, error = self.running, NO_VERSION
        known = running if running.description.version else None
        self.recorder.begin(condition_of(self.engine, self.settings, self.plan, known))
        if known:
            look_at_network(running, "before", self.recorder)
            try:
                error = self._levels()
            except UsageError:
                self.recorder.finish(peak_memory_bytes=None, error="the load cannot be made")
                raise
            except Exception as failure:  # whatever it is, the others go on
                error = reason_of(failure)
            look_at_network(running, "after", self.recorder)
        error = self._with_its_end(error)
        self.recorder.finish(peak_memory_bytes=self._peak(), error=error)
        return error

    def _with_its_end(self, error: str) -> str:
        """Where it was broken off: how the process ended, which tells more than the client saw."""
        if not error:
            return ""
        ended = self._ending()
        if ended and ended not in error:
            error = f"{ended}; seen as: {error}"
        return with_memory_named(error)

    def _ending(self) -> str:
        """How the process ended by itself; empty: it lives, or nobody knows."""
        return self.running.ending() if isinstance(self.running, SaysItsEnd) else ""

    def _levels(self) -> str:
        served, plan = self.running, self.plan
        if not isinstance(served, Served):
            raise EngineError(f"{self.engine.spec.title} is no server: no load can be put on it")
        if plan.first.ids and plan.checks_tokens:
            check_tokens(self.running, self.engine.spec, (plan.first,))
        tried = probe(
            self.tools.client,
            served.endpoint,
            served.request_body(plan.request(plan.first)),
            plan.sending,
            secrets=plan.secrets,
        )
        itl_s = tried.itl_s
        goes_on = self.engine.spec.can_ignore_end_of_sequence and not plan.may_end
        for number, wanted in enumerate(plan.levels):
            if number < self.done:
                continue
            level = replace(wanted, new_tokens=plan.new_tokens if goes_on else None)
            driven = self._level(served, number, level, tried, itl_s)
            if driven.error:
                return f"{level_title(level)}: {driven.error}"
            if driven.failed and (ended := self._ending()):
                # A few requests may have failed before anybody knew.
                return f"{level_title(level)}: {ended}"
            if driven.failed and driven.failed == driven.finished:
                return (
                    f"{level_title(level)}: every request failed, the last by {driven.last_error}"
                )
            itl_s = driven.itl_s or itl_s
        return ""

    def _level(
        self, served: Served, number: int, level: Level, tried: Probe, itl_s: float
    ) -> Driven:
        plan = self.plan
        shape = shape_of(level, seed=plan.seed + number, expected_s=tried.e2e_s)
        bodies = [served.request_body(plan.request(prompt)) for prompt in plan.prompts[number]]
        client_error = calibrate(
            self.tools.calibrator,
            Pace(
                dialect=served.endpoint.dialect,
                streams=streams_of(level, expected_s=tried.e2e_s),
                ttft_s=tried.ttft_s,
                itl_s=itl_s,
                prompt_text=plan.first.text,
            ),
            self.progress,
            self.tools.clocks,
        )
        self.recorder.begin_level(level, client_error)
        title = f"{self.engine.spec.title}: {level_title(level)}"
        roots = self.running.process_ids()
        processes = [each.pid for each in processes_below(roots)]
        with (
            self.progress.task(title, why=_length(level), expected_s=level.duration_s) as task,
            TimeWatch(processes, clocks=self.tools.clocks) as watch,
        ):
            before = HeldBack.now(roots)
            return drive(
                lambda: self.tools.client.start(served.endpoint, bodies, shape, plan.sending),
                level,
                secrets=plan.secrets,
                recorder=self.recorder,
                peak_memory=self._peak,
                task=task,
                watch=watch,
                held_back=lambda: HeldBack.now(roots).since(before),
            )

    def _peak(self) -> int | None:
        """Peak memory of the engine so far, in bytes; the kernel keeps the mark."""
        memory = PeakMemory(self.running.process_ids())
        memory.update()
        return memory.bytes


def _length(level: Level) -> str:
    parts = []
    if level.requests is not None:
        parts.append(f"{level.requests} requests")
    if level.duration_s is not None:
        parts.append(f"{level.duration_s:g} s")
    return " or ".join(parts)
