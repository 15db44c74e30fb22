"""One visit to a stack: start it, check it, warm it up, time it, stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from python_runner.common.clock import NS_PER_S, Clocks
from python_runner.common.errors import EngineCrashError, RequestTimeoutError, reason_of
from python_runner.common.memory_end import with_memory_named
from python_runner.common.progress import Progress, Task
from python_runner.engines.contract import Engine, GenerateRequest, LaunchSettings, RunningEngine
from python_runner.engines.outside import NOT_COUNTED
from python_runner.engines.served.at_once import SEVERAL_AT_ONCE, Batching
from python_runner.engines.tuning import settings_of
from python_runner.measure.attempts import Attempts, Trying
from python_runner.measure.load.calibration import Calibrates
from python_runner.measure.machine_noise import NoiseProbe
from python_runner.measure.memory import PeakMemory
from python_runner.measure.network import look_at_network
from python_runner.measure.plan import Plan, PlannedRequest, Visit
from python_runner.measure.preflight import check_tokens
from python_runner.measure.resources import Meter, metered, processes_below
from python_runner.measure.sample import Condition, Recorder, Sample
from python_runner.measure.stamps import StampError, stamp_error
from python_runner.measure.time_watch import Looked, TimeMarks, TimeWatch, spell_marks

_FAILURES_IN_A_ROW = 3
NO_VERSION = (
    "it does not say its version, and what has none is not measured (see docs/methodology.md)"
)


class FailureStreak:
    """Counts the requests of a stack that failed in a row, over all visits to it."""

    def __init__(self, count: int = 0) -> None:
        """`count`: of an interrupted run, at its end."""
        self.count = count

    def note(self, *, failed: bool) -> bool:
        """One request has ended; whether that were too many in a row."""
        self.count = self.count + 1 if failed else 0
        return self.count >= _FAILURES_IN_A_ROW


def measure_stack(
    engine: Engine,
    settings: LaunchSettings,
    plan: Plan,
    *,
    recorder: Recorder,
    log: Path,
    progress: Progress,
    calibrator: Calibrates | None = None,
    probe: NoiseProbe | None = None,
    visit: Visit | None = None,
    streak: FailureStreak | None = None,
    clocks: Clocks | None = None,
) -> str:
    """Visit one engine; every sample goes to `recorder` as it ends.

    Returns why the stack ended before its time, or an empty string. An engine that does
    not start, crashes or fails again and again is a result, not an exception; so is one that
    raises what no engine should, for it must not cost the others their run.

    Args:
        engine: the stack.
        settings: how it is started.
        plan: what all visits have in common.
        recorder: keeps what is measured.
        log: the engine's own output is appended to it.
        progress: shows how far the visit is.
        calibrator: measures the error of the stamps themselves, before the first request of
            the first visit; None: it is not measured.
        probe: looks at the machine before each request; None: nobody does.
        visit: what is asked; None: the whole plan at once.
        streak: failures of the visits before this one.
        clocks: by which a sleep of the machine is known; the system's, if None.
    """
    spec = engine.spec
    title = f"{spec.title} ({spec.language}, {spec.reach})"
    asked = visit or plan.whole()
    with progress.task(title, why=f"{len(asked.requests)} requests") as task:
        task.update(0.0, "loading the model")
        error = _Visit(
            engine=engine,
            settings=settings,
            plan=plan,
            visit=asked,
            recorder=recorder,
            probe=probe,
            streak=streak or FailureStreak(),
            task=task,
            clocks=clocks,
            say=progress.say,
            error_of=partial(stamp_error, calibrator=calibrator, progress=progress, clocks=clocks),
        ).measure(log)
    if error:
        progress.say(f"{title} ended early: {error}")
    return error


@dataclass(frozen=True, kw_only=True)
class _Visit:
    """What the parts of a visit share."""

    engine: Engine
    settings: LaunchSettings
    plan: Plan
    visit: Visit
    recorder: Recorder
    probe: NoiseProbe | None
    streak: FailureStreak
    task: Task
    clocks: Clocks | None
    say: Callable[[str], None]
    error_of: Callable[[RunningEngine], StampError]

    def measure(self, log: Path) -> str:
        """Returns what `measure_stack` returns."""
        watch = TimeWatch(clocks=self.clocks)
        try:
            start = partial(self.engine.start, self.settings, log)
            ask = partial(self._one_request, watch)
            with watch.request() as loading:
                attempts = Attempts(self._trying, start, ask, self._sample)
        except Exception as failure:  # whatever it is, the others go on
            error = with_memory_named(reason_of(failure))
            self.recorder.begin(condition_of(self.engine, self.settings, self.plan, None))
            self.recorder.finish(peak_memory_bytes=None, error=error)
            return error
        with attempts:
            is_known = bool(attempts.running.description.version)
            condition = self._condition(attempts.running, is_known=is_known)
            self.recorder.begin(_without_lost_time(condition, loading.marks))
            peak, error = None, NO_VERSION
            if is_known:
                peak, error = self._between_looks(attempts, watch)
            error = with_memory_named(error)
            self.recorder.finish(peak_memory_bytes=peak, error=error)
        return error

    @property
    def _trying(self) -> Trying:
        return Trying(
            stack=self.engine.spec.name,
            block=self.visit.block,
            retries=self.plan.retries,
            keep=self.recorder.keep_attempt,
            say=self.say,
        )

    def _between_looks(self, attempts: Attempts, watch: TimeWatch) -> tuple[int | None, str]:
        """All requests, and the way to the engine before and after them."""
        look_at_network(attempts.running, "before", self.recorder)
        with watch:
            found = self._all_requests(attempts)
        look_at_network(attempts.running, "after", self.recorder)
        return found

    def _condition(self, running: RunningEngine, *, is_known: bool) -> Condition:
        found = condition_of(self.engine, self.settings, self.plan, running if is_known else None)
        if not self.visit.is_first:
            return found  # the client's error was measured once, and is not the engine's
        self.task.update(note="measuring the error of the stamps")
        stamps = self.error_of(running)
        return replace(
            found, client_error=stamps.client_error, callback_cost_ns=stamps.callback_cost_ns
        )

    def _all_requests(self, attempts: Attempts) -> tuple[int | None, str]:
        """Peak memory in bytes, and why the visit was broken off, or ""."""
        memory = PeakMemory(attempts.running.process_ids())
        requests = self.visit.requests
        try:
            if self.plan.checks_tokens:
                check_tokens(attempts.running, self.engine.spec, [each.prompt for each in requests])
        except Exception as mismatch:
            return None, reason_of(mismatch)
        for number, asked in enumerate(requests):
            kind = "warm-up" if asked.is_warmup else "iteration"
            self.task.update(number / len(requests), f"{kind} {asked.iteration}")
            done_before = [each for each in requests[:number] if each.is_warmup]
            sample, failure = attempts.request(asked, done_before)
            self.recorder.record(sample)
            memory.follow(attempts.running.process_ids())
            memory.update()
            is_asleep = sample.time.is_suspended
            hangs = isinstance(failure, RequestTimeoutError) and not is_asleep
            if failure and (hangs or isinstance(failure, EngineCrashError)):
                # One that hangs would take as long again for each request that is left.
                return memory.bytes, reason_of(failure)
            # What failed because nothing ran says nothing of the engine.
            if self.streak.note(failed=failure is not None and not is_asleep):
                return memory.bytes, f"{self.streak.count} requests in a row failed: {sample.error}"
            self.task.update((number + 1) / len(requests), _note(sample, kind))
        return memory.bytes, ""

    def _one_request(
        self, watch: TimeWatch, running: RunningEngine, asked: PlannedRequest
    ) -> tuple[Sample, Exception | None]:
        noise = self.probe.read() if self.probe else None
        prompt = asked.prompt
        request = GenerateRequest(
            prompt_text=prompt.text,
            prompt_ids=prompt.ids,
            new_tokens=self.plan.new_tokens,
            seed=self.plan.seed,
            ignore_end_of_sequence=not self.plan.may_end,
            timeout_s=self.plan.timeout_s,
            stall_timeout_s=self.plan.stall_timeout_s,
        )
        generation, failure, error, meter, looked = None, None, "", Meter(), Looked()
        roots = running.process_ids()
        processes = processes_below(roots)
        watch.follow(each.pid for each in processes)
        try:
            with watch.request() as looked, metered(roots, processes) as meter:
                generation = running.generate(request)
        except Exception as raised:  # what no engine should raise is a failed request, too
            failure, error = raised, reason_of(raised)
        is_read_otherwise = generation and generation.prompt_tokens not in {
            *(len(prompt.ids), NOT_COUNTED),
        }
        if generation and is_read_otherwise and self.plan.checks_tokens:
            error = (
                f"prompt of {generation.prompt_tokens} tokens, where the model's tokenizer "
                f"counts {len(prompt.ids)}"
            )
        sample = replace(
            self._sample(asked, error),
            generation=generation,
            noise=noise,
            resources=meter.used,
            time=looked.marks,
        )
        return sample, failure

    def _sample(self, asked: PlannedRequest, error: str) -> Sample:
        """What is known of a request without an answer."""
        return Sample(
            iteration=asked.iteration,
            is_warmup=asked.is_warmup,
            prompt_text=asked.prompt.text,
            prompt_tokens=len(asked.prompt.ids),
            requested_tokens=self.plan.new_tokens,
            generation=None,
            error=error,
            block=self.visit.block,
        )


def _without_lost_time(condition: Condition, loading: TimeMarks) -> Condition:
    """Without the load time, if nothing ran within it."""
    if not loading.is_suspended:
        return condition
    build = {**condition.build, "load time": f"not known: {spell_marks(loading)}"}
    return replace(condition, load_seconds=None, build=build)


class _Work(Protocol):
    """What a plan says of the work, whatever its requests are."""

    @property
    def template(self) -> str: ...
    @property
    def sampling(self) -> str: ...
    @property
    def prompt_cache(self) -> str: ...


def condition_of(
    engine: Engine, settings: LaunchSettings, plan: _Work, running: RunningEngine | None
) -> Condition:
    """The condition of a stack; `running` is None if it never ran or has no version."""
    label = running.description.label if running else ""
    return Condition(
        engine=engine.spec.labelled(label),
        settings=settings_of(engine, settings),
        template=plan.template,
        sampling=plan.sampling,
        prompt_cache=plan.prompt_cache,
        version=running.description.version if running else "",
        build={**running.description.build, **_batching(engine, settings)} if running else {},
        load_seconds=(running.load_seconds or None) if running else None,
    )


def _batching(engine: Engine, settings: LaunchSettings) -> dict[str, str]:
    """What is declared of several requests at once, for runs that ask that."""
    declared = engine.spec.batching
    if settings.slots == 1 or declared is Batching.UNKNOWN:
        return {}
    return {SEVERAL_AT_ONCE: declared.value}


def _note(sample: Sample, kind: str) -> str:
    if sample.generation is None or not sample.generation.chunk_ns:
        return f"{kind} {sample.iteration} failed"
    elapsed = sample.generation.chunk_ns[-1] - sample.generation.requested_ns
    return f"{kind} {sample.iteration}: {elapsed / NS_PER_S:.2f} s"
