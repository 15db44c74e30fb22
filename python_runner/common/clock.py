"""The one clock: CLOCK_MONOTONIC in nanoseconds, the same in every process of a machine.

Python's `time.monotonic_ns`, C++'s `std::chrono::steady_clock` and Rust's `Instant` all
read CLOCK_MONOTONIC on Linux, so stamps from worker processes and from native code can
be subtracted from each other. Wall-clock time is used for one thing only: the date in
the list of runs.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


def now_ns() -> int:
    """Nanoseconds of CLOCK_MONOTONIC."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def utc_date() -> str:
    """The wall-clock date and time in UTC, ISO 8601 to the second; never used for durations."""
    return datetime.now(UTC).isoformat(timespec="seconds")
