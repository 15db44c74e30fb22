//! The one clock.

use rustix::time::{ClockId, clock_gettime};

const NS_PER_S: i64 = 1_000_000_000;

/// Nanoseconds of `CLOCK_MONOTONIC`: the same number as Python's `time.monotonic_ns()`.
///
/// `std::time::Instant` reads the same clock but hides the number, so its stamps could
/// not be compared with those of other processes.
#[must_use]
#[inline]
pub fn now_ns() -> i64 {
    nanoseconds(ClockId::Monotonic)
}

/// CPU time of the calling thread in nanoseconds.
#[must_use]
pub fn thread_cpu_ns() -> i64 {
    nanoseconds(ClockId::ThreadCPUTime)
}

#[inline]
fn nanoseconds(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    // The field types differ between platforms; on 64-bit Linux both are i64 already.
    #[allow(clippy::useless_conversion, reason = "32-bit platforms need it")]
    let (seconds, nanoseconds) = (i64::from(now.tv_sec), i64::from(now.tv_nsec));
    seconds * NS_PER_S + nanoseconds
}

#[cfg(test)]
mod tests {
    use super::{now_ns, thread_cpu_ns};

    #[test]
    fn never_goes_back() {
        let first = now_ns();
        assert!(first > 0);
        assert!(now_ns() >= first);
        assert!(thread_cpu_ns() >= 0);
    }
}
