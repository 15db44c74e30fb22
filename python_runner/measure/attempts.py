"""Another attempt, where the first one failed and the study allows it.

Before another attempt the engine is started anew, whether it crashed or only failed: what is left
in one that failed is not known, and it may keep the prompt that it is about to be asked again, so
that the answer would come faster than it should. Then it is warmed up again, with the prompts of
the visit's warm-up, which are asked and not kept: their places are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from python_runner.common.clock import now_ns
from python_runner.common.errors import EngineCrashError, reason_of
from python_runner.engines.contract import RunningEngine
from python_runner.measure.plan import PlannedRequest
from python_runner.measure.sample import FailedAttempt, Sample

Ask = Callable[[RunningEngine, PlannedRequest], tuple[Sample, Exception | None]]
"""One request: its sample, and the failure if it has failed."""

Unasked = Callable[[PlannedRequest, str], Sample]
"""The sample of a request that could not be sent, with the reason."""

_Started = TypeVar("_Started")


@dataclass(frozen=True, kw_only=True)
class Trying:
    """What all attempts of a visit have in common."""

    stack: str
    block: int
    retries: int
    """How often a start or a request that failed is tried again."""
    keep: Callable[[FailedAttempt], None]
    """Gets each attempt that failed and is followed by another."""
    say: Callable[[str], None]


def somehow(trying: Trying, start: Callable[[], _Started]) -> _Started:
    """Start an engine, again if it has to be. Raises what the last attempt raised."""
    for attempt in range(1, trying.retries + 1):
        began_ns = now_ns()
        try:
            return start()
        except Exception as failure:
            _note(trying, None, attempt, failure, began_ns)
    return start()


class Attempts:
    """An engine that runs, and is started anew within its visit where an attempt failed."""

    def __init__(
        self, trying: Trying, start: Callable[[], RunningEngine], ask: Ask, unasked: Unasked
    ) -> None:
        """Start the engine by `start`; see `somehow`."""
        self._trying = trying
        self._start = start
        self._ask = ask
        self._unasked = unasked
        self.running = somehow(trying, start)

    def request(
        self, asked: PlannedRequest, warm_up: Sequence[PlannedRequest]
    ) -> tuple[Sample, Exception | None]:
        """Ask it, again if it has to be. `warm_up` is asked before it after each new start.

        Returns the sample of the last attempt, and how that failed, if it did.
        """
        attempt = 1
        while True:
            began_ns = now_ns()
            failure = None if attempt == 1 else self._start_anew(warm_up)
            if failure is None:
                sample, failure = self._ask(self.running, asked)
            else:
                sample = self._unasked(asked, reason_of(failure))
            if failure is None or attempt > self._trying.retries:
                return replace(sample, attempt=attempt), failure
            _note(self._trying, asked, attempt, failure, began_ns)
            attempt += 1

    def stop(self) -> None:
        """End the engine."""
        self.running.stop()

    def __enter__(self) -> Attempts:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _start_anew(self, warm_up: Sequence[PlannedRequest]) -> Exception | None:
        """None: it is ready."""
        self.running.stop()
        try:
            self.running = self._start()
        except Exception as failure:
            return EngineCrashError(f"started again after a failure: {reason_of(failure)}")
        for before in warm_up:
            _, failed = self._ask(self.running, before)
            if failed is not None:
                return failed
        return None


def _note(
    trying: Trying, asked: PlannedRequest | None, attempt: int, failure: Exception, began_ns: int
) -> None:
    what = "the start" if asked is None else f"iteration {asked.iteration}"
    if asked is not None and asked.is_warmup:
        what = f"warm-up {asked.iteration}"
    error = reason_of(failure)
    trying.keep(
        FailedAttempt(
            stack=trying.stack,
            block=trying.block,
            iteration=asked.iteration if asked else None,
            is_warmup=bool(asked and asked.is_warmup),
            attempt=attempt,
            error=error,
            began_ns=began_ns,
            ended_ns=now_ns(),
        )
    )
    trying.say(f"{trying.stack}: attempt {attempt} at {what} failed and is made again: {error}")
