//! The one clock of all stamps.

use rustix::time::{ClockId, clock_gettime};

const NS_PER_S: i64 = 1_000_000_000;

/// Nanoseconds of `CLOCK_MONOTONIC`: the same number as Python's `time.monotonic_ns()`.
pub fn now_ns() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * NS_PER_S + now.tv_nsec
}
