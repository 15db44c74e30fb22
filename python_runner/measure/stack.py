"""Measure one stack: start it, check it, warm it up, time it, stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from python_runner.common.clock import NS_PER_S
from python_runner.common.errors import EngineCrashError, reason_of
from python_runner.common.progress import Progress, Task
from python_runner.engines.contract import (
    Engine,
    EngineSpec,
    GenerateRequest,
    LaunchSettings,
    RunningEngine,
)
from python_runner.measure.load.calibration import Calibrates
from python_runner.measure.memory import PeakMemory
from python_runner.measure.plan import Plan, Prompt
from python_runner.measure.preflight import check_tokens
from python_runner.measure.sample import Condition, Recorder, Sample
from python_runner.measure.stamps import StampError, stamp_error

_FAILURES_IN_A_ROW = 3
NO_VERSION = (
    "it does not say its version, and what has none is not measured (see docs/methodology.md)"
)


def measure_stack(
    engine: Engine,
    settings: LaunchSettings,
    plan: Plan,
    *,
    recorder: Recorder,
    log: Path,
    progress: Progress,
    calibrator: Calibrates | None = None,
) -> str:
    """Run `plan` through one engine; every sample goes to `recorder` as it ends.

    Returns why the stack ended before its time, or an empty string. An engine that does
    not start, crashes or fails again and again is a result, not an exception; so is one that
    raises what no engine should, for it must not cost the others their run. With a
    `calibrator`, the error of the stamps themselves is measured before the first request.
    """
    spec = engine.spec
    title = f"{spec.title} ({spec.language}, {spec.reach})"
    with progress.task(title, why=f"{len(plan.prompts)} requests") as task:
        task.update(0.0, "loading the model")
        error = _measure(
            engine,
            settings,
            plan,
            recorder=recorder,
            log=log,
            task=task,
            error_of=partial(stamp_error, calibrator=calibrator, progress=progress),
        )
    if error:
        progress.say(f"{title} ended early: {error}")
    return error


def _measure(
    engine: Engine,
    settings: LaunchSettings,
    plan: Plan,
    *,
    recorder: Recorder,
    log: Path,
    task: Task,
    error_of: Callable[[RunningEngine], StampError],
) -> str:
    """Returns what `measure_stack` returns."""
    try:
        running = engine.start(settings, log)
    except Exception as failure:  # whatever it is, the others go on
        error = reason_of(failure)
        recorder.begin(condition_of(engine, settings, plan, None))
        recorder.finish(peak_memory_bytes=None, error=error)
        return error
    with running:
        known = running if running.description.version else None
        task.update(note="measuring the error of the stamps")
        stamps = error_of(running)
        recorder.begin(
            replace(
                condition_of(engine, settings, plan, known),
                client_error=stamps.client_error,
                callback_cost_ns=stamps.callback_cost_ns,
            )
        )
        peak, error = None, NO_VERSION
        if known:
            peak, error = _run_plan(running, engine.spec, plan, recorder, task)
        recorder.finish(peak_memory_bytes=peak, error=error)
    return error


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
        engine=replace(engine.spec, title=label) if label else engine.spec,
        settings=settings,
        template=plan.template,
        sampling=plan.sampling,
        prompt_cache=plan.prompt_cache,
        version=running.description.version if running else "",
        build=running.description.build if running else {},
        load_seconds=running.load_seconds if running else None,
    )


def _run_plan(
    running: RunningEngine, spec: EngineSpec, plan: Plan, recorder: Recorder, task: Task
) -> tuple[int | None, str]:
    """All requests of the plan: peak memory in bytes, and why it was broken off, or ""."""
    memory = PeakMemory(running.process_ids())
    failures_in_a_row = 0
    try:
        if plan.checks_tokens:
            check_tokens(running, spec, plan.prompts)
    except Exception as mismatch:
        return None, reason_of(mismatch)
    for number, (iteration, is_warmup, prompt) in enumerate(_requests(plan)):
        kind = "warm-up" if is_warmup else "iteration"
        task.update(number / len(plan.prompts), f"{kind} {iteration}")
        sample, failure = _take(running, plan, iteration, prompt, is_warmup=is_warmup)
        recorder.record(sample)
        memory.update()
        if isinstance(failure, EngineCrashError):
            return memory.bytes, reason_of(failure)
        failures_in_a_row = failures_in_a_row + 1 if failure else 0
        if failures_in_a_row == _FAILURES_IN_A_ROW:
            return memory.bytes, f"{failures_in_a_row} requests in a row failed: {sample.error}"
        task.update((number + 1) / len(plan.prompts), _note(sample, kind))
    return memory.bytes, ""


def _requests(plan: Plan) -> Iterator[tuple[int, bool, Prompt]]:
    """Iteration (from 1 in both parts), whether it is warm-up, and its prompt."""
    for index, prompt in enumerate(plan.prompts):
        is_warmup = index < plan.warmup
        yield index + 1 if is_warmup else index + 1 - plan.warmup, is_warmup, prompt


def _take(
    running: RunningEngine, plan: Plan, iteration: int, prompt: Prompt, *, is_warmup: bool
) -> tuple[Sample, Exception | None]:
    request = GenerateRequest(
        prompt_text=prompt.text,
        prompt_ids=prompt.ids,
        new_tokens=plan.new_tokens,
        seed=plan.seed,
    )
    generation, failure, error = None, None, ""
    try:
        generation = running.generate(request)
    except Exception as raised:  # what no engine should raise is a failed request, too
        failure, error = raised, reason_of(raised)
    if generation and plan.checks_tokens and generation.prompt_tokens != len(prompt.ids):
        error = (
            f"prompt of {generation.prompt_tokens} tokens, where the model's tokenizer "
            f"counts {len(prompt.ids)}"
        )
    sample = Sample(
        iteration=iteration,
        is_warmup=is_warmup,
        prompt_text=prompt.text,
        prompt_tokens=len(prompt.ids),
        requested_tokens=plan.new_tokens,
        generation=generation,
        error=error,
    )
    return sample, failure


def _note(sample: Sample, kind: str) -> str:
    if sample.generation is None or not sample.generation.chunk_ns:
        return f"{kind} {sample.iteration} failed"
    elapsed = sample.generation.chunk_ns[-1] - sample.generation.requested_ns
    return f"{kind} {sample.iteration}: {elapsed / NS_PER_S:.2f} s"
