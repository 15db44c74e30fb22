//! Wakes the loop at a time in nanoseconds.
//!
//! The timeout of `epoll_wait` counts in milliseconds, and is rounded up: a request of an open
//! loop would be up to a millisecond late. A timer as a file is as exact as the kernel.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

const NS_PER_S: i64 = 1_000_000_000;

/// A timer that a `Poll` waits for.
pub struct Timer {
    file: OwnedFd,
    set_for_ns: Option<i64>,
}

impl Timer {
    /// Register one under `token`.
    ///
    /// # Errors
    /// The system has no file left for it.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let file = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        registry.register(&mut SourceFd(&file.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self {
            file,
            set_for_ns: None,
        })
    }

    /// Wake at `due_ns` of `CLOCK_MONOTONIC`; None: not at all.
    ///
    /// # Errors
    /// The time is none that the system knows.
    pub fn set(&mut self, due_ns: Option<i64>) -> io::Result<()> {
        if due_ns == self.set_for_ns {
            return Ok(());
        }
        // All zeros would disarm it.
        let at = due_ns.map_or(0, |due| due.max(1));
        let time = Itimerspec {
            it_interval: Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            },
            it_value: Timespec {
                tv_sec: at / NS_PER_S,
                tv_nsec: at % NS_PER_S,
            },
        };
        timerfd_settime(&self.file, TimerfdTimerFlags::ABSTIME, &time)?;
        self.set_for_ns = due_ns;
        Ok(())
    }

    /// It went off. Not read: setting it again is enough, as `epoll` tells of edges only.
    pub fn went_off(&mut self) {
        self.set_for_ns = None;
    }
}
