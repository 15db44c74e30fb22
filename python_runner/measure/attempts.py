"""Another attempt, where the first one failed and the study allows it.

Before another attempt the engine is started anew, whether it crashed or only failed: what is left
in one that failed is not known, and it may keep the prompt that it is about to be asked again, so
that the answer would come faster than it should. Then it is warmed up again, with the prompts of
the visit's warm-up, which are asked and not kept: their places are taken.

A request that outlasted its time because nothing ran (the machine slept, the engine was stopped)
is not made again: it is kept, and marked. But the engine may have been ended for it, or still be at
its answer: the next request, if there is one, gets an engine that was started anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from python_runner.common.clock import now_ns
from python_runner.common.errors import EngineCrashError, RequestTimeoutError, reason_of
from python_runner.engines.contract import RunningEngine
from python_runner.measure.plan import PlannedRequest
from python_runner.measure.sample import FailedAttempt, Sample
from python_runner.measure.time_watch import TimeMarks

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
    """Gets each attempt that failed and is followed by another, or by a start for the next."""
    say: Callable[[str], None]


def somehow(trying: Trying, start: Callable[[], _Started]) -> _Started:
    """Start an engine, again if it has to be. Raises what the last attempt raised."""
    for attempt in range(1, trying.retries + 1):
        began_ns = now_ns()
        try:
            return start()
        except Exception as failure:
            failed = _failed(trying, None, attempt, failure, began_ns)
            _keep(trying, failed, "is made again")
    return start()


def _was_suspended(sample: Sample, failure: Exception | None) -> bool:
    """Whether it outlasted its time because something did not run: the engine is not to blame."""
    return isinstance(failure, RequestTimeoutError) and sample.time.is_suspended


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
        self._lost: FailedAttempt | None = None
        """What the engine was lost by, where the next request needs another one."""

    def request(
        self, asked: PlannedRequest, warm_up: Sequence[PlannedRequest]
    ) -> tuple[Sample, Exception | None]:
        """Ask it, again if it has to be. `warm_up` is asked before it after each new start.

        Returns the sample of the last attempt, and how that failed, if it did.
        """
        attempt = 1
        if self._lost is not None:
            _keep(self._trying, self._lost, "is not made again; the stack is started anew")
        while True:
            began_ns = now_ns()
            is_anew = attempt > 1 or self._lost is not None
            self._lost = None
            sample, failure = self._try(asked, warm_up, is_anew=is_anew)
            sample = replace(sample, attempt=attempt)
            if failure is None:
                return sample, None
            failed = _failed(self._trying, asked, attempt, failure, began_ns)
            if attempt > self._trying.retries:
                self._lost = failed if _was_suspended(sample, failure) else None
                return sample, failure
            _keep(self._trying, failed, "is made again")
            attempt += 1

    def stop(self) -> None:
        """End the engine."""
        self.running.stop()

    def __enter__(self) -> Attempts:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _try(
        self, asked: PlannedRequest, warm_up: Sequence[PlannedRequest], *, is_anew: bool
    ) -> tuple[Sample, Exception | None]:
        """One attempt; by an engine that is started anew for it, if `is_anew`."""
        if is_anew:
            failure, marks = self._start_anew(warm_up)
            if failure is not None:
                return replace(self._unasked(asked, reason_of(failure)), time=marks), failure
        return self._ask(self.running, asked)

    def _start_anew(self, warm_up: Sequence[PlannedRequest]) -> tuple[Exception | None, TimeMarks]:
        """None: it is ready. Else also whether time went on as usual meanwhile."""
        self.running.stop()
        try:
            self.running = self._start()
        except Exception as failure:
            why = f"started again after a failure: {reason_of(failure)}"
            return EngineCrashError(why), TimeMarks()
        for before in warm_up:
            sample, failed = self._ask(self.running, before)
            if failed is not None:
                return failed, sample.time
        return None, TimeMarks()


def _failed(
    trying: Trying, asked: PlannedRequest | None, attempt: int, failure: Exception, began_ns: int
) -> FailedAttempt:
    return FailedAttempt(
        stack=trying.stack,
        block=trying.block,
        iteration=asked.iteration if asked else None,
        is_warmup=bool(asked and asked.is_warmup),
        attempt=attempt,
        error=reason_of(failure),
        began_ns=began_ns,
        ended_ns=now_ns(),
    )


def _keep(trying: Trying, failed: FailedAttempt, then: str) -> None:
    what = "the start" if failed.iteration is None else f"iteration {failed.iteration}"
    if failed.is_warmup:
        what = f"warm-up {failed.iteration}"
    trying.keep(failed)
    trying.say(
        f"{trying.stack}: attempt {failed.attempt} at {what} failed and {then}: {failed.error}"
    )
