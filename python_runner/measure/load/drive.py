"""Drive one level: take what has ended, show how it goes, end in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from python_runner.common.clock import NS_PER_MS, NS_PER_S
from python_runner.common.errors import PolystackError, reason_of
from python_runner.common.progress import Task
from python_runner.common.signals import endings_held
from python_runner.engines.contract import Endpoint
from python_runner.engines.served.load_client import LoadShape, Sending
from python_runner.measure.load.finished import Record, finished_of
from python_runner.measure.load.level import FinishedRequests, Level, LevelEnd, LoadRecorder
from python_runner.measure.time_watch import TimeMarks, TimeWatch

_POLL_S = 0.25
_CANCEL_S = 5.0
_GONE = frozenset({"connect", "closed"})
_GONE_IN_A_ROW = 20
_GONE_PER_USER = 3


class Snapshot(Protocol):
    """`polystack_stream.LoadSnapshot`, as far as it is looked at here."""

    @property
    def elapsed_ns(self) -> int: ...
    @property
    def events(self) -> int: ...
    @property
    def ttft_ns(self) -> tuple[int, int, int]: ...
    @property
    def itl_ns(self) -> tuple[int, int, int]: ...


class Run(Protocol):
    """`polystack_stream.LoadRun`, once it is made."""

    def snapshot(self) -> Snapshot: ...
    def take(self) -> Record: ...
    def wait(self, timeout_s: float) -> bool: ...
    def cancel(self) -> None: ...
    @property
    def started_ns(self) -> int: ...
    @property
    def ended_ns(self) -> int: ...
    @property
    def cpu_ns(self) -> int: ...


class Client(Protocol):
    """`engines.load_client.LoadClient`."""

    def start(
        self, endpoint: Endpoint, bodies: Sequence[bytes], shape: LoadShape, sending: Sending
    ) -> Run: ...


@dataclass(frozen=True, kw_only=True)
class Driven:
    """What came of a level, for what comes next."""

    finished: int
    failed: int
    itl_s: float
    """Median gap between chunks, as the client showed it; 0 if there was none."""
    last_error: str
    error: str
    """Why it was broken off; empty if it was not."""


def drive(
    start: Callable[[], Run],
    level: Level,
    *,
    secrets: Sequence[str],
    recorder: LoadRecorder,
    peak_memory: Callable[[], int | None],
    task: Task,
    watch: TimeWatch | None = None,
    held_back: Callable[[], Mapping[str, float]] = dict,
) -> Driven:
    """Run one level that has been announced to `recorder`, to its end.

    Args:
        start: opens the connections and starts the load.
        level: what is asked for; tells how far it is.
        secrets: as in `finished_of`.
        recorder: gets the requests a few times a second, and the end of the level.
        peak_memory: of the engine so far, in bytes; asked at the end.
        task: shows how it goes.
        watch: notices what does not run meanwhile, and has begun; None: nobody looks.
        held_back: what kept the engine back since the level began; asked at the end.

    Raises:
        PolystackError: it could not be started; the level is ended with that reason.
        KeyboardInterrupt: passed on after what was done is recorded.
    """
    run = _begin(start, recorder, peak_memory)
    taker = _Taker(run, recorder, secrets, watch)
    server = _Server(users=level.users or 1)
    before = watch.look() if watch else None
    reason = ""
    try:
        while not run.wait(_POLL_S):
            server.see(taker.take())
            snapshot = run.snapshot()
            # What is said to be done is in the store by now.
            task.update(_fraction(level, snapshot, server.finished), note_of(snapshot, server))
            if server.is_gone and not reason:
                run.cancel()
                reason = f"the server is gone: {server.last_error}"
    except BaseException as error:
        reason = _why(error)
        raise
    finally:
        with endings_held():  # pressed twice, Ctrl-C still leaves a level with its end
            if reason:
                run.cancel()
                run.wait(_CANCEL_S)
            server.see(taker.take())
            jump_ns = watch.look().wall_jump_ns(before) if watch and before else None
            end = replace(_end(run, peak_memory, reason), wall_jump_ns=jump_ns)
            recorder.end_level(replace(end, held_back=held_back()))
    return Driven(
        finished=server.finished,
        failed=server.failed,
        itl_s=run.snapshot().itl_ns[0] / NS_PER_S,
        last_error=server.last_error,
        error=reason,
    )


def _end(run: Run, peak_memory: Callable[[], int | None], reason: str) -> LevelEnd:
    return LevelEnd(
        started_ns=run.started_ns,
        ended_ns=run.ended_ns,
        client_cpu_s=run.cpu_ns / NS_PER_S,
        peak_memory_bytes=peak_memory(),
        error=reason,
    )


def _begin(
    start: Callable[[], Run], recorder: LoadRecorder, peak_memory: Callable[[], int | None]
) -> Run:
    try:
        return start()
    except BaseException as error:
        end = LevelEnd(
            started_ns=0,
            ended_ns=0,
            client_cpu_s=0.0,
            peak_memory_bytes=peak_memory(),
            error=_why(error),
        )
        recorder.end_level(end)
        raise


def _why(error: BaseException) -> str:
    if isinstance(error, PolystackError):
        return error.message
    return reason_of(error) if isinstance(error, Exception) else "interrupted"


class _Server:
    """Whether the server still answers at all."""

    def __init__(self, *, users: int) -> None:
        self._limit = max(_GONE_IN_A_ROW, _GONE_PER_USER * users)
        self._in_a_row = 0
        self.finished = 0
        self.failed = 0
        self.last_error = ""

    def see(self, requests: FinishedRequests | None) -> None:
        if requests is None:
            return
        for index in np.argsort(requests.ended_ns, kind="stable"):
            kind = requests.error_kind[index]
            self._in_a_row = self._in_a_row + 1 if kind in _GONE else 0
            self.finished += 1
            if kind:
                self.failed += 1
                self.last_error = f"{kind}: {requests.error[index]}"

    @property
    def is_gone(self) -> bool:
        return self._in_a_row >= self._limit


@dataclass(frozen=True)
class _Taker:
    """Hands over to the recorder what has ended."""

    run: Run
    recorder: LoadRecorder
    secrets: Sequence[str]
    watch: TimeWatch | None

    def take(self) -> FinishedRequests | None:
        """What has ended since the last time, which is stored now; None if nothing has.

        Whole, or not at all: a signal between the client, which forgets what it gives out, and
        the store would lose requests that had ended.
        """
        with endings_held():
            requests = finished_of(self.run.take(), secrets=self.secrets)
            if not requests.number.size:
                return None
            if self.watch is not None:
                requests = replace(requests, time=_marks(requests, self.watch))
            self.recorder.record(requests)
        return requests


def _marks(requests: FinishedRequests, watch: TimeWatch) -> tuple[TimeMarks, ...]:
    watch.look()  # after they have ended, so that nothing within them is missed
    spans = zip(requests.scheduled_ns.tolist(), requests.ended_ns.tolist(), strict=True)
    return tuple(watch.between(due_ns, ended_ns) for due_ns, ended_ns in spans)


def _fraction(level: Level, snapshot: Snapshot, finished: int) -> float:
    parts = [0.0]
    if level.requests:
        parts.append(finished / level.requests)
    if level.duration_s:
        parts.append(snapshot.elapsed_ns / NS_PER_S / level.duration_s)
    return min(1.0, max(parts))


class Counted(Protocol):
    """How many requests are in the store."""

    @property
    def finished(self) -> int: ...
    @property
    def failed(self) -> int: ...


def note_of(snapshot: Snapshot, counted: Counted) -> str:
    """How it goes, in less than 48 characters: median and p99 of TTFT and ITL."""
    seconds = snapshot.elapsed_ns / NS_PER_S
    rate = snapshot.events / seconds if seconds else 0.0
    failed = f" ({counted.failed} failed)" if counted.failed else ""
    ttft, itl = (
        f"{_ms(values[0])}/{_ms(values[2])}" for values in (snapshot.ttft_ns, snapshot.itl_ns)
    )
    return f"{counted.finished} done{failed}, {rate:.0f}/s, TTFT {ttft}, ITL {itl} ms"


def _ms(ns: int) -> str:
    value = ns / NS_PER_MS
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
