"""Notices that time did not go on as usual while something was measured.

A thread looks ten times a second, and whoever measures looks before and after each request:

- the machine slept: CLOCK_BOOTTIME, which counts sleep, gained on CLOCK_MONOTONIC, which does not;
- a process of the engine was stopped (SIGSTOP, a debugger): the kernel says so of it;
- the workbench itself stood still: its thread did not come for half a second, and in that time
  the workbench neither computed nor waited for a processor. A busy machine is no standstill.

Not seen: an engine stopped for less than a tenth of a second; the workbench for less than half of
one; processes that a cgroup's freezer holds (a paused container), since the kernel calls them
asleep; a server on another machine.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from python_runner.common.clock import (
    NS_PER_MS,
    NS_PER_S,
    ClockReading,
    Clocks,
    SystemClocks,
    now_ns,
)

PERIOD_S = 0.1
_PERIOD_NS = 100 * NS_PER_MS
_STANDSTILL_NS = 500 * NS_PER_MS
_WAIT_FOR_TICK_S = 2.0
_PROC = Path("/proc")
_STOPPED = frozenset("Tt")
"""States of a process that a signal or a debugger has stopped."""


class Sign(StrEnum):
    """By what a suspension was known."""

    ASLEEP = "machine asleep"
    WORKBENCH = "workbench stood still"
    ENGINE = "engine stopped"


@dataclass(frozen=True, kw_only=True)
class Suspension:
    """Something did not run between two moments of CLOCK_MONOTONIC, both on the safe side."""

    begin_ns: int
    end_ns: int
    lasted_ns: int
    """Sleep: exact. Else to about the period of the looks."""
    sign: Sign


@dataclass(frozen=True, kw_only=True)
class TimeMarks:
    """What is known of the time of one request. None: nobody could tell, which is not zero."""

    suspended_ns: int | None = None
    """0: looked, and seen nothing."""
    suspended_by: tuple[Sign, ...] = ()
    wall_jump_ns: int | None = None
    """How far the wall clock was set within it; no figure depends on that clock."""

    @property
    def is_suspended(self) -> bool:
        return bool(self.suspended_by)


@dataclass
class Looked:
    """What `TimeWatch.request` saw, once its block has ended."""

    marks: TimeMarks = field(default_factory=TimeMarks)


class TimeWatch:
    """Looks while an engine is measured; safe from several threads.

    Used in a `with` statement. Without it there is no thread, and only sleep is noticed.
    """

    def __init__(
        self,
        processes: Iterable[int] = (),
        *,
        clocks: Clocks | None = None,
        any_stopped: Callable[[Sequence[int]], bool] | None = None,
    ) -> None:
        """Look at nothing yet.

        Args:
            processes: all those of the engine; see `follow`.
            clocks: what is read; the system's, if None.
            any_stopped: whether one of these processes is stopped; asks the kernel, if None.
        """
        self._clocks = clocks or SystemClocks()
        self._any_stopped = any_stopped or one_is_stopped
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tick_on, name="time-watch", daemon=True)
        self._processes: Sequence[int] = tuple(processes)
        self._last = self._clocks.read()
        self._engine_stop: Suspension | None = None
        """One that has not ended, as far as it is known."""
        self._seen: list[Suspension] = []
        self._ticked_ns = now_ns()

    def __enter__(self) -> Self:
        self._ticked_ns = now_ns()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    @contextmanager
    def request(self) -> Iterator[Looked]:
        """Look around one request, which is under way within the block."""
        looked = Looked()
        before = self.look()
        try:
            yield looked
        finally:
            after = self.look()
            looked.marks = replace(
                self.between(before.monotonic_ns, after.monotonic_ns),
                wall_jump_ns=after.wall_jump_ns(before),
            )

    def follow(self, processes: Iterable[int]) -> None:
        """The engine's processes are these from now on: it may have others, or be started anew."""
        self._processes = tuple(processes)

    def look(self) -> ClockReading:
        """Read the clocks and the processes' states now."""
        self._wait_for_a_late_tick()
        stopped = bool(self._processes) and self._any_stopped(self._processes)
        with self._lock:
            now, last = self._clocks.read(), self._last
            self._last = now
            if slept_ns := now.slept_ns(last):
                self._note(last.monotonic_ns, now.monotonic_ns, slept_ns, Sign.ASLEEP)
            self._note_engine(last, now, stopped=stopped)
        return now

    def between(self, begin_ns: int, end_ns: int) -> TimeMarks:
        """What was seen up to the last look between two moments of CLOCK_MONOTONIC."""
        with self._lock:
            known = [*self._seen, *([self._engine_stop] if self._engine_stop else [])]
            tells_sleep = self._last.boot_ns is not None
        found = [each for each in known if each.begin_ns < end_ns and each.end_ns > begin_ns]
        lasted_ns = sum(each.lasted_ns for each in found)
        return TimeMarks(
            suspended_ns=lasted_ns if found or tells_sleep else None,
            suspended_by=tuple(dict.fromkeys(each.sign for each in found)),
        )

    def _note(self, begin_ns: int, end_ns: int, lasted_ns: int, sign: Sign) -> None:
        self._seen.append(
            Suspension(begin_ns=begin_ns, end_ns=end_ns, lasted_ns=lasted_ns, sign=sign)
        )

    def _note_engine(self, last: ClockReading, now: ClockReading, *, stopped: bool) -> None:
        open_one = self._engine_stop
        if open_one is None and not stopped:
            return
        begin_ns = open_one.begin_ns if open_one else last.monotonic_ns
        lasted_ns = max(now.monotonic_ns - begin_ns, 1)
        found = Suspension(
            begin_ns=begin_ns, end_ns=now.monotonic_ns, lasted_ns=lasted_ns, sign=Sign.ENGINE
        )
        if stopped:
            self._engine_stop = found
        else:
            self._engine_stop = None
            self._seen.append(found)

    def _wait_for_a_late_tick(self) -> None:
        """After a standstill the thread must say first what it missed."""
        if threading.current_thread() is self._thread or not self._thread.is_alive():
            return
        limit_ns = now_ns() + int(_WAIT_FOR_TICK_S * 1000) * NS_PER_MS
        while now_ns() - self._ticked_ns > _STANDSTILL_NS and now_ns() < limit_ns:
            time.sleep(PERIOD_S / 10)

    def _tick_on(self) -> None:
        used_ns = _used_or_waited_ns()
        while not self._over.wait(PERIOD_S):
            now, now_used_ns = now_ns(), _used_or_waited_ns()
            gap_ns = now - self._ticked_ns
            if gap_ns > _STANDSTILL_NS and now_used_ns - used_ns < gap_ns / 2:
                with self._lock:
                    self._note(self._ticked_ns, now, gap_ns - _PERIOD_NS, Sign.WORKBENCH)
            self._ticked_ns, used_ns = now, now_used_ns
            self.look()


def spell_marks(marks: TimeMarks) -> str:
    """`engine stopped for 2.1 s`; empty for what was not suspended."""
    if not marks.is_suspended:
        return ""
    return f"{' and '.join(marks.suspended_by)} for {(marks.suspended_ns or 0) / NS_PER_S:.1f} s"


def one_is_stopped(processes: Sequence[int]) -> bool:
    """Whether a signal or a debugger holds one of these processes, as Linux has it."""
    for pid in processes:
        try:
            # The second field is the program's name in brackets, which may hold anything.
            state = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            continue
        if state in _STOPPED:
            return True
    return False


def _used_or_waited_ns() -> int:
    """CPU time of the workbench, and what this thread waited for a processor."""
    waited_ns = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        waited_ns = int((_PROC / "thread-self" / "schedstat").read_text().split()[1])
    return time.process_time_ns() + waited_ns
