//! The one loop: sends what is due, reads what has come.
//!
//! - `opening`: how connections come to stand;
//! - `due`: what is sent next, and when;
//! - `requests`: what begins a request, and what ends it;
//! - `network`: what is read;
//! - `overdue`: what has lasted too long.

mod due;
mod network;
mod opening;
mod overdue;
mod requests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};

use crate::clock::{now_ns, thread_cpu_ns};
use crate::http::RequestTemplate;
use crate::load::connection::Connection;
use crate::load::exchange::Exchange;
use crate::load::failure::{ErrorKind, Failure};
use crate::load::live::Live;
use crate::load::plan::{Plan, Shape};
use crate::load::shared::Shared;
use crate::load::socket::Tls;
use crate::load::timer::Timer;

const TIMER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);
/// How often limits of time are looked at and figures are published.
const ROUND: Duration = Duration::from_millis(100);
const ROUND_NS: i64 = 100_000_000;
const SETTLING: Duration = Duration::from_millis(50);

/// All connections and requests of a load.
pub struct Runner {
    plan: Plan,
    shared: Arc<Shared>,
    poll: Poll,
    waker: Arc<Waker>,
    timer: Timer,
    address: SocketAddr,
    tls: Option<Tls>,
    template: RequestTemplate,
    connections: Vec<Connection>,
    /// Open loop: connections that wait for a request.
    idle: Vec<usize>,
    /// Open loop: connections that there may be. What is due when all are busy waits here, in
    /// the list of arrivals, and its latency counts on.
    most: usize,
    /// Closed loop: users that have not begun, by their time, last first.
    not_begun: Vec<(i64, usize)>,
    next_arrival: usize,
    next_number: u64,
    in_flight: usize,
    live: Live,
    buffer: Vec<u8>,
    started_ns: i64,
    cpu_before_ns: i64,
}

impl Runner {
    /// What wakes the loop from outside.
    #[must_use]
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// From here on times count.
    pub fn start_clock(&mut self) {
        // Opening has made client and server wake each other in turns, for which the kernel puts
        // them on one core. Both are given the time to be apart when it counts.
        std::thread::sleep(SETTLING);
        match &self.plan.shape {
            Shape::Closed { starts_ns, .. } => {
                self.not_begun = starts_ns.iter().copied().zip(0..).collect();
                self.not_begun.sort_unstable_by(|a, b| b.cmp(a));
            }
            Shape::Open { .. } => self.idle = (0..self.connections.len()).rev().collect(),
        }
        self.cpu_before_ns = thread_cpu_ns();
        self.started_ns = now_ns();
        self.shared
            .started_ns
            .store(self.started_ns, Ordering::Release);
    }

    /// Run to the end.
    pub fn run(&mut self) {
        let mut events = Events::with_capacity(1024);
        let mut next_round_ns = self.started_ns;
        loop {
            self.send_what_is_due();
            if self.is_over() || self.shared.is_cancelled.load(Ordering::Acquire) {
                break;
            }
            let due = self.next_due_ns();
            // If the timer cannot be set, the rounds go on and are late.
            let _ = self.timer.set(due);
            if let Err(error) = self.poll.poll(&mut events, Some(ROUND)) {
                if error.kind() == io::ErrorKind::Interrupted {
                    continue;
                }
                self.fail_all(&Failure::new(ErrorKind::Protocol, error.to_string()));
                break;
            }
            self.look_at(&events);
            let now = now_ns();
            if now >= next_round_ns {
                next_round_ns = now + ROUND_NS;
                self.enforce_limits(now);
                self.publish(now);
            }
        }
        self.finish();
    }

    fn look_at(&mut self, events: &Events) {
        for event in events {
            match event.token() {
                TIMER => self.timer.went_off(),
                WAKER => {}
                Token(index) => {
                    self.on_ready(index, event.is_read_closed() || event.is_error());
                }
            }
        }
    }

    /// What is still under way is over; nothing is left out.
    fn finish(&mut self) {
        let ended = Failure::new(ErrorKind::Cancelled, "the load was ended");
        self.fail_all(&ended);
        self.fail_what_waits(&ended);
        let now = now_ns();
        self.publish(now);
        self.shared.ended_ns.store(now, Ordering::Release);
    }

    fn exchange(&self) -> Exchange {
        Exchange::new(
            self.plan.dialect,
            self.plan.max_event_bytes,
            self.plan.keeps_text,
        )
    }

    fn publish(&self, now: i64) {
        let snapshot = self.live.snapshot(now - self.started_ns, self.in_flight);
        *self.shared.snapshot() = snapshot;
        self.shared
            .cpu_ns
            .store(thread_cpu_ns() - self.cpu_before_ns, Ordering::Release);
    }
}
