"""One stack, measured into a store, with something done to it in a request.

Run as a program it is a workbench of its own, which a test can stop:
`python -m tests.faults.time.measuring STORE`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from python_runner.analyse.summary import summarise
from python_runner.common.clock import Clocks
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import (
    Engine,
    GenerateRequest,
    Generation,
    Language,
    LaunchSettings,
    Reach,
    RunningEngine,
)
from python_runner.engines.mock import mock_spec
from python_runner.engines.worker.embedded import EmbeddedEngine
from python_runner.measure import NoiseProbe, Plan, Prompt, measure_stack
from python_runner.report.facts import RunFacts, run_facts
from python_runner.report.terminal.detail import run_detail
from python_runner.store import Frames, RunRecorder, Store, read_frames
from tests.contract.processes import wait_until
from tests.golden.compare import rendered
from tests.unit.builders import settings, study

TOKENS = 12
_BEFORE_S = 0.2
STOPPED_S = 0.8

At = Mapping[int, Callable[[RunningEngine], None]]
"""Number of a request (from 1) to what is done when it begins."""


def slow_engine() -> EmbeddedEngine:
    """A worker process with `slow_model`."""
    return EmbeddedEngine(
        spec=mock_spec("slow", Language.PYTHON, Reach.EMBEDDED),
        prepare=lambda progress: None,
        loader="tests.faults.time.slow_model:load",
    )


class Meddled:
    """An engine of which something is done at the begin of a request."""

    def __init__(
        self, inner: Engine, at: At, *, once: bool = False, starts: list[int] | None = None
    ) -> None:
        """With `once`, only of the first that is started. `starts` gets a number for each."""
        self._inner = inner
        self._at = at
        self._once = once
        self._starts = [] if starts is None else starts
        self.spec = inner.spec
        self.prepare = inner.prepare

    def start(self, launch: LaunchSettings, log: Path) -> Any:
        self._starts.append(len(self._starts) + 1)
        at = {} if self._once and len(self._starts) > 1 else self._at
        return _MeddledRunning(self._inner.start(launch, log), at)


class _MeddledRunning:
    def __init__(self, inner: RunningEngine, at: At) -> None:
        self._inner = inner
        self._at = at
        self._requests = 0

    def generate(self, request: GenerateRequest) -> Generation:
        self._requests += 1
        if self._requests in self._at:
            self._at[self._requests](self._inner)
        return self._inner.generate(request)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __enter__(self) -> _MeddledRunning:
        self._inner.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._inner.__exit__(*exc)


def stop_for_a_while(running: RunningEngine, *, at_work_s: float = 0.0) -> None:
    """SIGSTOP to the engine's processes in a moment, and SIGCONT later.

    Args:
        running: it is about to be asked.
        at_work_s: they are stopped when they have computed for so long (s); 0: after `_BEFORE_S`.
    """
    before_s = _computed_s(running)

    def stop() -> None:
        if at_work_s:
            wait_until(lambda: _computed_s(running) - before_s >= at_work_s, "it computes")
        else:
            time.sleep(_BEFORE_S)
        for pid in running.process_ids():
            os.kill(pid, signal.SIGSTOP)
        time.sleep(STOPPED_S)
        for pid in running.process_ids():
            os.kill(pid, signal.SIGCONT)

    threading.Thread(target=stop, daemon=True).start()


def _computed_s(running: RunningEngine) -> float:
    """CPU time of its processes so far."""
    times = [psutil.Process(pid).cpu_times() for pid in running.process_ids()]
    return sum(each.user + each.system for each in times)


def plan(iterations: int, *, tokens: int = TOKENS) -> Plan:
    prompts = tuple(Prompt(text=f"p{number}", ids=(2, number)) for number in range(iterations))
    return Plan(
        warmup=0,
        prompts=prompts,
        new_tokens=tokens,
        template="raw",
        sampling="greedy",
        seed=1,
        prompt_cache="unique prompts",
    )


def measured(
    engine: Any,
    path: Path,
    requests: Plan,
    *,
    clocks: Clocks | None = None,
    probe: NoiseProbe | None = None,
    launch: LaunchSettings | None = None,
) -> Frames:
    """What the store has when the stack has been measured."""
    with Store(path) as store:
        with RunRecorder(store, study(iterations=len(requests.prompts)), {"cpu": "test"}) as kept:
            measure_stack(
                engine,
                launch or settings(),
                requests,
                recorder=kept,
                log=path.with_suffix(".log"),
                progress=SilentProgress(),
                clocks=clocks,
                probe=probe,
            )
        return read_frames(store, [kept.run_id])


def facts(frames: Frames) -> RunFacts:
    """The words beside the figures."""
    summary = summarise(frames.samples, frames.conditions)
    return run_facts(frames.samples, frames.conditions, frames.runs, summary)


def shown(frames: Frames) -> str:
    """What `polystack show` prints of it."""
    return rendered(run_detail(frames.samples, frames.conditions, frames.runs), 200)


def _tell(_running: object) -> None:
    sys.stdout.write("second\n")
    sys.stdout.flush()


def main() -> None:
    """Three requests; says when the second begins."""
    engine = Meddled(slow_engine(), {2: _tell})
    measured(engine, Path(sys.argv[1]), plan(3))


if __name__ == "__main__":
    main()
