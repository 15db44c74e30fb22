"""What owning each stack costs: files are read, runs looked up, and stacks killed on request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from python_runner.analyse.upkeep import upkeep
from python_runner.common.host import describe_host
from python_runner.common.progress import Progress
from python_runner.engines.table import engine
from python_runner.engines.upkeep import Fact, facts_of
from python_runner.measure.recovery import Recovery, RecoveryPlan, measure_recovery
from python_runner.run.building import build, without
from python_runner.run.compare import find_engines, get_ready
from python_runner.run.preflight import settings_of
from python_runner.run.preparation import plan_for
from python_runner.store import Frames, RecoveryRecorder, Store
from python_runner.study import Overrides, Study, load_study

_STUDY = "demo"
_REQUESTS_A_CRASH = 4
_NEW_TOKENS = 160
"""An answer has to last long enough to be struck in its middle."""


def collect(stacks: Iterable[str]) -> tuple[Fact, ...]:
    """What files tell of these stacks. Builds nothing. Raises UnknownNameError."""
    engines = {name: engine(name) for name in stacks}
    return tuple(fact for name, each in engines.items() for fact in facts_of(name, each))


def upkeep_of(frames: Frames, stacks: Iterable[str], *, model: str | None = None) -> pd.DataFrame:
    """`analyse.upkeep` of these stacks on this machine."""
    return upkeep(frames, collect(stacks), model=model)


def recovery_study(
    stacks: Sequence[str], *, model: str | None, threads: int | None, times: int
) -> Study:
    """What stacks are asked when they are killed. Raises StudyError or UsageError."""
    overrides = Overrides(
        model=model,
        stacks=tuple(stacks),
        threads=threads,
        iterations=_REQUESTS_A_CRASH * (times + 1),
        blocks=1,
        warmup=0,
        new_tokens=_NEW_TOKENS,
        name="recovery",
    )
    return load_study(_STUDY, overrides)


def crash_test(
    study: Study, store: Store, *, times: int, logs: Path, progress: Progress
) -> dict[str, str]:
    """Kill each stack in mid-answer and see it come back; each crash is a row in the store.

    Args:
        study: of `recovery_study`.
        store: where each crash is kept the moment it is over.
        times: how often each stack is killed.
        logs: folder for the engines' own output.
        progress: shows long work.

    Returns:
        The stacks that did not come back, with the reason.

    Raises:
        UnknownNameError, ModelError, SetupError: before anything is started.
    """
    engines = find_engines(study)
    ready = get_ready(study, engines, progress)
    late = without(engines, engines.keys() - ready.waiting | ready.missing.keys())
    missing = {**ready.missing, **build(late, progress)}
    plan = plan_for(
        study, ready.source, ready.settings, log=logs / "tokenizer.log", progress=progress
    )
    recorder = RecoveryRecorder(store, ready.settings, describe_host())
    asked = RecoveryPlan(prompts=plan.prompts, new_tokens=plan.new_tokens, times=times)
    failed = dict(missing)
    for name, reason in missing.items():
        recorder.record(engines[name].spec, "", Recovery(attempt=1, error=reason))
    folder = logs / f"recovery-{recorder.run_id:04d}"
    for name, candidate in without(engines, missing).items():
        spec = candidate.spec
        with progress.task(f"Killing {spec.title}", why=f"{times} times, in mid-answer") as task:
            reason = measure_recovery(
                candidate,
                settings_of(study, spec, ready.settings),
                asked,
                recorder=recorder,
                log=folder / f"{name}.log",
                task=task,
                say=progress.say,
            )
        if reason:
            failed[name] = reason
            progress.say(f"{spec.title} gave no full set of recoveries: {reason}")
    return failed
