//! The one loop: sends what is due, reads what has come.

mod network;
mod requests;

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};

use crate::clock::{now_ns, thread_cpu_ns};
use crate::error::StreamError;
use crate::http::{RequestTemplate, resolve};
use crate::load::connection::{Connection, Phase};
use crate::load::exchange::Exchange;
use crate::load::failure::{ErrorKind, Failure};
use crate::load::limits::allowed_connections;
use crate::load::live::Live;
use crate::load::plan::{Plan, Shape};
use crate::load::shared::Shared;
use crate::load::socket::Tls;
use crate::load::timer::Timer;

const TIMER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);
const BUFFER_BYTES: usize = 64 << 10;
/// At most so many connections are being opened at once: a server's queue is short.
const OPENING_AT_ONCE: usize = 64;
/// How often limits of time are looked at and figures are published.
const ROUND_NS: i64 = 100_000_000;
const SETTLING: Duration = Duration::from_millis(50);
/// How long the end of a body is waited for when the stream has said that it is over.
const MOST_AFTER_END_NS: i64 = 1_000_000_000;
/// A connection that was closed between two requests tells so within a round trip. What takes
/// longer is a server that went away over the request.
const MOST_TO_LEARN_OF_A_CLOSE_NS: i64 = 1_000_000_000;
const PAUSE_AFTER_FAILURE_NS: i64 = 100_000_000;
const ROUND: Duration = Duration::from_millis(100);

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
    /// Open all connections; the clock has not started yet.
    ///
    /// # Errors
    /// The plan makes no sense, or the server cannot be reached.
    pub fn open(plan: Plan, shared: Arc<Shared>) -> Result<Self, StreamError> {
        plan.check()?;
        let (wanted, most) = allowed_connections(&plan.shape)?;
        let limit = Duration::from_nanos(u64::try_from(plan.connect_timeout_ns).unwrap_or(0));
        let tls = plan
            .target
            .is_tls
            .then(|| Tls::new(&plan.target, plan.ca_file.as_deref()))
            .transpose()?;
        let (address, first) = reach(&plan, limit)?;
        let template = RequestTemplate::new(
            &plan.target,
            plan.dialect.framing().media_type(),
            &plan.headers,
            plan.id_header.as_deref(),
        )?;
        let failed = |error: io::Error| connect_error(&plan, &error.to_string());
        let poll = Poll::new().map_err(failed)?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).map_err(failed)?);
        let timer = Timer::new(poll.registry(), TIMER).map_err(failed)?;
        let mut runner = Self {
            shared,
            poll,
            waker,
            timer,
            address,
            tls,
            template,
            connections: Vec::with_capacity(wanted),
            idle: Vec::new(),
            most,
            not_begun: Vec::new(),
            next_arrival: 0,
            next_number: 0,
            in_flight: 0,
            live: Live::new(),
            buffer: vec![0; BUFFER_BYTES],
            started_ns: 0,
            cpu_before_ns: 0,
            plan,
        };
        // It was only to find an address that answers: as one of many it would be the odd one.
        drop(first);
        runner.open_all(wanted)?;
        Ok(runner)
    }

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
            for event in &events {
                match event.token() {
                    TIMER => self.timer.went_off(),
                    WAKER => {}
                    Token(index) => {
                        self.on_ready(index, event.is_read_closed() || event.is_error());
                    }
                }
            }
            let now = now_ns();
            if now >= next_round_ns {
                next_round_ns = now + ROUND_NS;
                self.enforce_limits(now);
                self.publish(now);
            }
        }
        let ended = Failure::new(ErrorKind::Cancelled, "the load was ended");
        self.fail_all(&ended);
        self.fail_what_waits(&ended);
        let now = now_ns();
        self.publish(now);
        self.shared.ended_ns.store(now, Ordering::Release);
    }

    fn send_what_is_due(&mut self) {
        let elapsed = now_ns() - self.started_ns;
        while let Some((start, user)) = self.not_begun.last().copied() {
            if start > elapsed {
                break;
            }
            self.not_begun.pop();
            self.next_of_user(user);
        }
        if !matches!(self.plan.shape, Shape::Open { .. }) {
            return;
        }
        while let Some(arrival) = self
            .arrival(self.next_arrival)
            .filter(|due| *due <= elapsed)
        {
            let Some(index) = self.free_connection() else {
                return; // one that is over makes room
            };
            self.next_arrival += 1;
            self.begin(index, self.started_ns + arrival);
        }
    }

    fn arrival(&self, index: usize) -> Option<i64> {
        match &self.plan.shape {
            Shape::Open { arrivals_ns, .. } => arrivals_ns.get(index).copied(),
            Shape::Closed { .. } => None,
        }
    }

    fn next_due_ns(&self) -> Option<i64> {
        let start = self.not_begun.last().map(|(start, _)| *start);
        let is_full = self.idle.is_empty() && self.connections.len() >= self.most;
        start
            .or_else(|| self.arrival(self.next_arrival).filter(|_| !is_full))
            .map(|due| due + self.started_ns)
    }

    fn is_over(&self) -> bool {
        self.in_flight == 0
            && match &self.plan.shape {
                Shape::Closed { .. } => self.not_begun.is_empty() || !self.may_send(),
                Shape::Open { arrivals_ns, .. } => self.next_arrival == arrivals_ns.len(),
            }
    }

    /// Closed loop: whether another request may be sent.
    fn may_send(&self) -> bool {
        match &self.plan.shape {
            Shape::Closed {
                requests,
                duration_ns,
                ..
            } => {
                requests.is_none_or(|most| self.next_number < most)
                    && duration_ns.is_none_or(|time| now_ns() - self.started_ns < time)
            }
            Shape::Open { .. } => true,
        }
    }

    fn next_of_user(&mut self, user: usize) {
        if self.may_send() {
            self.begin(user, 0);
        }
    }

    /// Open loop: a connection for a request that is due, a new one if all are busy; None: there
    /// can be no more of them.
    fn free_connection(&mut self) -> Option<usize> {
        self.idle.pop().or_else(|| {
            if self.connections.len() >= self.most {
                return None;
            }
            let exchange = self.exchange();
            self.connections.push(Connection::new(exchange));
            Some(self.connections.len() - 1)
        })
    }

    fn exchange(&self) -> Exchange {
        Exchange::new(
            self.plan.dialect,
            self.plan.max_event_bytes,
            self.plan.keeps_text,
        )
    }

    fn enforce_limits(&mut self, now: i64) {
        for index in 0..self.connections.len() {
            let connection = &self.connections[index];
            let Some(sent) = connection.sent else {
                continue;
            };
            let last_ns = connection
                .exchange
                .answer
                .chunks
                .last()
                .map(|last| last.arrival.ns);
            match connection.phase {
                Phase::Busy
                    if connection.exchange.has_said_its_end()
                        && last_ns.is_some_and(|last| now - last > MOST_AFTER_END_NS) =>
                {
                    self.connections[index].exchange.take_as_whole();
                    self.end(index);
                }
                Phase::Busy if now - sent.sent_ns > self.plan.timeout_ns => {
                    let words = format!(
                        "no end of the answer after {} s ({} chunks so far)",
                        Duration::from_nanos(u64::try_from(self.plan.timeout_ns).unwrap_or(0))
                            .as_secs_f64(),
                        connection.exchange.answer.chunks.len()
                    );
                    self.end_with(index, Failure::new(ErrorKind::Timeout, words));
                }
                Phase::Connecting | Phase::Handshake
                    if now - connection.opening.began_ns > self.plan.connect_timeout_ns =>
                {
                    let words = "no connection in time".to_owned();
                    self.end_with(index, Failure::new(ErrorKind::Connect, words));
                }
                _ => {}
            }
        }
    }

    fn publish(&self, now: i64) {
        let snapshot = self.live.snapshot(now - self.started_ns, self.in_flight);
        *self.shared.snapshot() = snapshot;
        self.shared
            .cpu_ns
            .store(thread_cpu_ns() - self.cpu_before_ns, Ordering::Release);
    }
}

/// The first address of the target that answers.
fn reach(plan: &Plan, limit: Duration) -> Result<(SocketAddr, TcpStream), StreamError> {
    let mut reason = String::new();
    for address in resolve(&plan.target, limit)? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => return Ok((address, stream)),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(connect_error(plan, &reason))
}

fn connect_error(plan: &Plan, reason: &str) -> StreamError {
    StreamError::Connect {
        address: plan.target.authority.clone(),
        reason: reason.to_owned(),
    }
}
