"""The one clock: CLOCK_MONOTONIC in nanoseconds, the same in every process of a machine.

Python's `time.monotonic_ns`, C++'s `std::chrono::steady_clock` and Rust's `Instant` all
read CLOCK_MONOTONIC on Linux, so stamps from worker processes and from native code can
be subtracted from each other. Wall-clock time is used for two things only: the date in
the list of runs, and to notice that somebody has set it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
_TRIES = 5
_CLOSE_NS = 100_000
LEAST_JUMP_NS = 10 * NS_PER_MS
"""Clocks that differ by less were read at different moments."""


def now_ns() -> int:
    """Nanoseconds of CLOCK_MONOTONIC."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def utc_date() -> str:
    """The wall-clock date and time in UTC, ISO 8601 to the second; never used for durations."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, kw_only=True)
class ClockReading:
    """Clocks read at one moment, in nanoseconds."""

    monotonic_ns: int
    """Stands while the machine sleeps."""
    boot_ns: int | None
    """Runs on while the machine sleeps; None where there is no such clock."""
    wall_ns: int
    """Goes wherever it is set."""

    def slept_ns(self, before: ClockReading) -> int | None:
        """How long the machine slept since `before`; None where nobody can tell."""
        if self.boot_ns is None or before.boot_ns is None:
            return None
        boot, monotonic = self.boot_ns - before.boot_ns, self.monotonic_ns - before.monotonic_ns
        return boot - monotonic if boot - monotonic >= LEAST_JUMP_NS else 0

    def wall_jump_ns(self, before: ClockReading) -> int | None:
        """How far the wall clock was set forward (or back: negative) since `before`.

        A clock that is slewed drags CLOCK_MONOTONIC along: that is no jump. None where a sleep
        cannot be told from one.
        """
        if self.boot_ns is None or before.boot_ns is None:
            return None
        jump = (self.wall_ns - before.wall_ns) - (self.boot_ns - before.boot_ns)
        return jump if abs(jump) >= LEAST_JUMP_NS else 0


class Clocks(Protocol):
    """Where a `ClockReading` comes from; tests have clocks that they set."""

    def read(self) -> ClockReading: ...


class SystemClocks:
    """Implements `Clocks` with the kernel's."""

    def read(self) -> ClockReading:
        """All clocks within a tenth of a millisecond, where the machine allows that."""
        tries = []
        for _ in range(_TRIES):
            began_ns = now_ns()
            boot_ns, wall_ns = _boot_ns(), time.time_ns()
            took_ns = now_ns() - began_ns
            tries.append((took_ns, began_ns, boot_ns, wall_ns))
            if took_ns < _CLOSE_NS:
                break
        _, monotonic_ns, boot_ns, wall_ns = min(tries)
        return ClockReading(monotonic_ns=monotonic_ns, boot_ns=boot_ns, wall_ns=wall_ns)


def _boot_ns() -> int | None:
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux only
    return None if clock is None else time.clock_gettime_ns(clock)
