"""How long a stack is away after a crash: killed in mid-answer, started again, asked again."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from python_runner.common.clock import NS_PER_S, Clocks, now_ns
from python_runner.common.errors import EngineError, reason_of
from python_runner.common.progress import Task
from python_runner.engines.contract import (
    Engine,
    EngineSpec,
    GenerateRequest,
    Generation,
    LaunchSettings,
    RunningEngine,
)
from python_runner.measure.plan import Prompt
from python_runner.measure.resources import processes_below
from python_runner.measure.time_watch import TimeWatch
from python_runner.measure.undisturbed import undisturbed

_TRIES = 4
"""To hit an answer that is under way: each next try strikes earlier."""
_NOTICE_TIMEOUT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """One crash and what came after it. Times are nanoseconds of CLOCK_MONOTONIC, or None."""

    attempt: int
    killed_ns: int | None = None
    """SIGKILL was sent, while an answer was under way."""
    noticed_ns: int | None = None
    """The request that was under way had failed."""
    cleared_ns: int | None = None
    """What the dead process had left behind was ended, too."""
    ready_ns: int | None = None
    """The stack, started again at once, had loaded the model."""
    first_token_ns: int | None = None
    """Of the next request."""
    error: str = ""


class RecoveryKeeper(Protocol):
    """Where each recovery goes as soon as it is over."""

    def record(self, spec: EngineSpec, version: str, recovery: Recovery) -> None: ...


@dataclass(frozen=True, kw_only=True)
class RecoveryPlan:
    """What is asked of every stack."""

    prompts: Sequence[Prompt]
    """Taken in turn; one is used for each request."""
    new_tokens: int
    times: int
    """How often each stack is killed."""


def measure_recovery(
    engine: Engine,
    settings: LaunchSettings,
    plan: RecoveryPlan,
    *,
    recorder: RecoveryKeeper,
    log: Path,
    task: Task,
    kill: Callable[[RunningEngine], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
    clocks: Clocks | None = None,
) -> str:
    """Kill a stack as often as `plan` says, each time in mid-answer, and see it come back.

    Returns why it ended before its time, or "". Whatever goes wrong is a row, not an
    exception. A crash in which the machine slept, or the engine or we were stopped, is none: it is
    thrown away and made again; if that happens to it again and again, the stack is given up.
    Call it from a thread that lives as long as the engine.

    Args:
        engine: the stack; it is prepared.
        settings: how it is started, each time.
        plan: what it is asked.
        recorder: keeps each recovery.
        log: the engine's own output is appended to it.
        task: shows how far it is.
        kill: ends the engine's processes; None: by SIGKILL.
        say: gets what is thrown away, in words.
        clocks: by which a sleep of the machine is known; the system's, if None.
    """
    watch = TimeWatch(clocks=clocks)
    test = _Test(engine, settings, plan, log=log, kill=kill or kill_processes, watch=watch)
    try:
        with watch:
            return _all_crashes(test, engine.spec, plan, recorder=recorder, task=task, say=say)
    except Exception as failure:  # whatever it is, the others go on
        error = reason_of(failure)
        recorder.record(engine.spec, test.version, Recovery(attempt=1, error=error))
        return error
    finally:
        test.end()


def _all_crashes(
    test: _Test,
    spec: EngineSpec,
    plan: RecoveryPlan,
    *,
    recorder: RecoveryKeeper,
    task: Task,
    say: Callable[[str], None],
) -> str:
    """Returns what `measure_recovery` returns; raises what the first start does."""
    test.begin()
    for attempt in range(1, plan.times + 1):
        task.update((attempt - 1) / plan.times, f"crash {attempt} of {plan.times}")
        what = f"{spec.title}: the time of crash {attempt}"
        found, lost = undisturbed(
            partial(test.crash, attempt), what=what, watch=test.watch, say=say
        )
        if lost:  # no row: nobody knows whether it would have come back
            return f"{what} is not known: {lost}"
        recorder.record(spec, test.version, found)
        if found.error:
            return found.error
    return ""


def kill_processes(running: RunningEngine) -> None:
    """SIGKILL to the engine's root processes: a worker, or a server and not its children."""
    for pid in running.process_ids():
        os.kill(pid, signal.SIGKILL)


class _Test:
    """The stack that is killed again and again."""

    def __init__(
        self,
        engine: Engine,
        settings: LaunchSettings,
        plan: RecoveryPlan,
        *,
        log: Path,
        kill: Callable[[RunningEngine], None],
        watch: TimeWatch,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._plan = plan
        self._log = log
        self._kill = kill
        self.watch = watch
        self._prompts = _in_turn(plan.prompts)
        self._running: RunningEngine | None = None
        self._strike_s = 0.0
        """How long after a request about half of its tokens are there."""
        self.version = ""

    def begin(self) -> None:
        """Start it, and learn how long an answer takes. Raises EngineError."""
        self._start()
        self._answer()  # the first one warms up
        self._learn(self._answer())

    def crash(self, attempt: int) -> Recovery:
        """Kill it in mid-answer, start it again, ask it again."""
        done = Recovery(attempt=attempt)
        if self._running is not None:
            self.watch.follow(each.pid for each in processes_below(self._running.process_ids()))
        try:
            killed_ns, noticed_ns = self._strike()
            done = replace(done, killed_ns=killed_ns, noticed_ns=noticed_ns)
            self.end()
            done = replace(done, cleared_ns=now_ns())
            self._start()
            done = replace(done, ready_ns=now_ns())
            answer = self._answer()
            done = replace(done, first_token_ns=answer.chunk_ns[0])
            self._learn(self._answer())
        except Exception as failure:  # whatever it is, it is this attempt's result
            self.end()  # another try would meet what is left of it
            return replace(done, error=reason_of(failure))
        return done

    def end(self) -> None:
        """End what is left of it."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def _start(self) -> None:
        self._running = self._engine.start(self._settings, self._log)
        self.version = self._running.description.version
        self.watch.follow(self._running.process_ids())  # the search for others would be timed

    def _learn(self, answer: Generation) -> None:
        middle_ns = (answer.chunk_ns[0] + answer.chunk_ns[-1]) // 2
        self._strike_s = (middle_ns - answer.requested_ns) / NS_PER_S

    def _strike(self) -> tuple[int, int]:
        """Kill it while it answers: when that was, and when the request had failed.

        Where the answer was whole before the process was dead, the blow came too late: it is
        started again, and struck earlier.
        """
        for number in range(1, _TRIES + 1):
            if self._running is None:
                self._start()
                self._answer()
            assert self._running is not None
            asked = _Asked(self._running, self._request())
            time.sleep(self._strike_s / number)
            if asked.is_over():
                continue
            killed_ns = now_ns()
            self._kill(self._running)
            if asked.failed_after(killed_ns):
                return killed_ns, asked.ended_ns
            self.end()
        raise EngineError(f"{_TRIES} answers were over before it was dead: they are too short")

    def _answer(self) -> Generation:
        assert self._running is not None
        answer = self._running.generate(self._request())
        if not answer.chunk_ns:
            raise EngineError("an answer without a token")
        return answer

    def _request(self) -> GenerateRequest:
        prompt = next(self._prompts)
        return GenerateRequest(
            prompt_text=prompt.text, prompt_ids=prompt.ids, new_tokens=self._plan.new_tokens
        )


class _Asked:
    """A request under way, in a thread of its own."""

    def __init__(self, running: RunningEngine, request: GenerateRequest) -> None:
        self._running = running
        self._request = request
        self._error: BaseException | None = None
        self.ended_ns = 0
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def is_over(self) -> bool:
        """Whether it has ended, one way or the other. Raises what it has failed with."""
        if self._thread.is_alive():
            return False
        if self._error is not None:
            raise self._error
        return True

    def failed_after(self, killed_ns: int) -> bool:
        """Wait for its end: whether it failed, and not before it was killed."""
        self._thread.join(_NOTICE_TIMEOUT_S)
        if self._thread.is_alive():
            raise EngineError(f"nothing was noticed of its death for {_NOTICE_TIMEOUT_S:.0f} s")
        return self._error is not None and self.ended_ns >= killed_ns

    def _ask(self) -> None:
        try:
            self._running.generate(self._request)
        except BaseException as error:  # told by whoever asks
            self._error = error
        self.ended_ns = now_ns()


def _in_turn(prompts: Sequence[Prompt]) -> Iterator[Prompt]:
    while True:
        yield from prompts
