//! The one loop: sends what is due, reads what has come.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token, Waker};

use crate::clock::{now_ns, thread_cpu_ns};
use crate::error::StreamError;
use crate::http::{RequestTemplate, resolve};
use crate::load::columns::Sent;
use crate::load::connection::{Connection, Opening, Phase};
use crate::load::exchange::{ErrorKind, Exchange, Failure};
use crate::load::limits::allow_connections;
use crate::load::live::Live;
use crate::load::plan::{Plan, Shape};
use crate::load::shared::Shared;
use crate::load::socket::{Got, Socket, Tls};
use crate::load::timer::Timer;
use crate::record::Arrival;

const TIMER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);
const BUFFER_BYTES: usize = 64 << 10;
/// At most so many connections are being opened at once: a server's queue is short.
const OPENING_AT_ONCE: usize = 64;
/// How often limits of time are looked at and figures are published.
const ROUND_NS: i64 = 100_000_000;
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
        let wanted = plan.shape.connections();
        allow_connections(wanted)?;
        let limit = Duration::from_nanos(u64::try_from(plan.connect_timeout_ns).unwrap_or(0));
        let (address, first) = reach(&plan, limit)?;
        let tls = plan
            .target
            .is_tls
            .then(|| Tls::new(&plan.target, plan.ca_file.as_deref()))
            .transpose()?;
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
                    Token(index) => self.on_ready(index, event.is_read_closed() || event.is_error()),
                }
            }
            let now = now_ns();
            if now >= next_round_ns {
                next_round_ns = now + ROUND_NS;
                self.enforce_limits(now);
                self.publish(now);
            }
        }
        self.fail_all(&Failure::new(ErrorKind::Cancelled, "the load was ended"));
        let now = now_ns();
        self.publish(now);
        self.shared.ended_ns.store(now, Ordering::Release);
    }

    // ---- what is due ----

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
            self.next_arrival += 1;
            let index = self.free_connection();
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
        start
            .or_else(|| self.arrival(self.next_arrival))
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

    /// Open loop: a connection for a request that is due, a new one if all are busy.
    fn free_connection(&mut self) -> usize {
        self.idle.pop().unwrap_or_else(|| {
            let exchange = self.exchange();
            self.connections.push(Connection::new(exchange));
            self.connections.len() - 1
        })
    }

    fn exchange(&self) -> Exchange {
        Exchange::new(
            self.plan.dialect,
            self.plan.max_event_bytes,
            self.plan.keeps_text,
        )
    }

    // ---- one request ----

    /// Begin the next request on this connection; `scheduled_ns` 0: it is due when it is sent.
    fn begin(&mut self, index: usize, scheduled_ns: i64) {
        let connection = &mut self.connections[index];
        let number = self.next_number;
        self.next_number += 1;
        self.in_flight += 1;
        connection.sent = Some(Sent {
            number: i64::try_from(number).unwrap_or(i64::MAX),
            user: i32::try_from(index).unwrap_or(i32::MAX),
            scheduled_ns,
            ..Sent::default()
        });
        let body = usize::try_from(number).unwrap_or(0) % self.plan.bodies.len();
        self.template
            .write(number, &self.plan.bodies[body], &mut connection.out);
        self.dispatch(index);
    }

    /// Send the waiting request, over a new connection if there is none.
    fn dispatch(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        connection.exchange.reset();
        connection.written = 0;
        if connection.phase == Phase::Idle {
            self.send(index);
        } else if let Err(error) = self.begin_opening(index) {
            self.end_with(index, Failure::new(ErrorKind::Connect, error.to_string()));
        }
    }

    fn send(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        connection.phase = Phase::Busy;
        connection.carried += 1;
        if let Some(sent) = &mut connection.sent {
            sent.sent_ns = now_ns();
            if sent.scheduled_ns == 0 {
                sent.scheduled_ns = sent.sent_ns;
            }
        }
        self.write(index);
    }

    fn write(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        let Some(socket) = &mut connection.socket else {
            return;
        };
        if connection.written == connection.out.len() {
            return;
        }
        // An error shows again when the answer is read, after what the server had to say.
        let _ = socket.write(&connection.out, &mut connection.written);
    }

    /// The request of this connection is over: keep it, and go on with the next.
    fn end(&mut self, index: usize) {
        if !self.keep(index) {
            return;
        }
        let connection = &mut self.connections[index];
        if connection.phase == Phase::Busy && connection.exchange.is_kept_alive() {
            connection.phase = Phase::Idle;
        } else {
            connection.close();
        }
        match self.plan.shape {
            Shape::Closed { .. } => self.next_of_user(index),
            Shape::Open { .. } => self.idle.push(index),
        }
    }

    /// The request is over without a whole answer. Its user pauses: a server that refuses
    /// connections must not be asked a hundred thousand times a second.
    fn end_with(&mut self, index: usize, failure: Failure) {
        let connection = &mut self.connections[index];
        connection.exchange.fail(failure);
        connection.close();
        if !self.keep(index) {
            return;
        }
        match self.plan.shape {
            Shape::Closed { .. } => {
                let start = now_ns() - self.started_ns + PAUSE_AFTER_FAILURE_NS;
                let place = self.not_begun.partition_point(|(other, _)| *other > start);
                self.not_begun.insert(place, (start, index));
            }
            Shape::Open { .. } => self.idle.push(index),
        }
    }

    /// Keep the request that was under way. False: there was none.
    fn keep(&mut self, index: usize) -> bool {
        let connection = &mut self.connections[index];
        let Some(sent) = connection.sent.take() else {
            return false;
        };
        self.in_flight -= 1;
        self.live.ended(&connection.exchange.answer);
        self.shared
            .columns()
            .push(&sent, &connection.exchange, now_ns());
        true
    }

    // ---- the network ----

    fn on_ready(&mut self, index: usize, is_closed: bool) {
        match self.connections[index].phase {
            Phase::Closed => {}
            Phase::Connecting | Phase::Handshake => self.go_on_opening(index),
            // A word out of turn, or good-bye: the next request gets a new connection.
            Phase::Idle => self.connections[index].close(),
            Phase::Busy => {
                self.write(index);
                self.read(index, is_closed);
            }
        }
    }

    /// Read what has come. A read that does not fill the buffer has emptied the socket, unless
    /// its closing is already there: for that no further event would come.
    fn read(&mut self, index: usize, is_closed: bool) {
        loop {
            let connection = &mut self.connections[index];
            let Some(socket) = &mut connection.socket else {
                return;
            };
            let reads = &mut connection.reads;
            let mut read_ns = now_ns();
            let got = socket.read(&mut self.buffer, &mut |ns| {
                read_ns = ns;
                *reads = reads.wrapping_add(1);
            });
            let arrival = Arrival {
                read_index: connection.reads,
                ns: read_ns,
            };
            match got {
                Ok(Got::Nothing) => return,
                Ok(Got::Bytes(count)) => {
                    let is_short = count < self.buffer.len() && socket.short_read_is_all();
                    let is_all = is_short && !is_closed;
                    if self.take(index, count, arrival) {
                        self.end(index);
                        return;
                    }
                    if is_all {
                        return;
                    }
                }
                Ok(Got::End) => return self.on_close(index, arrival),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return if self.was_stale(index) {
                        self.dispatch_again(index);
                    } else {
                        self.end_with(index, Failure::new(ErrorKind::Closed, error.to_string()));
                    };
                }
            }
        }
    }

    fn take(&mut self, index: usize, count: usize, arrival: Arrival) -> bool {
        let connection = &mut self.connections[index];
        let before = connection.exchange.answer.chunks.len();
        let is_over = connection.exchange.take(&self.buffer[..count], arrival);
        let scheduled_ns = connection.sent.map_or(0, |sent| sent.scheduled_ns);
        self.live
            .saw(&connection.exchange.answer, before, scheduled_ns);
        is_over
    }

    fn on_close(&mut self, index: usize, arrival: Arrival) {
        if self.was_stale(index) {
            return self.dispatch_again(index);
        }
        self.connections[index].exchange.take_end(arrival);
        self.end(index);
    }

    /// Whether the server had closed the connection before it saw the request: it may do so
    /// between two requests, and the client learns of it too late.
    fn was_stale(&self, index: usize) -> bool {
        let connection = &self.connections[index];
        connection.carried > 1 && connection.exchange.is_untouched()
    }

    fn dispatch_again(&mut self, index: usize) {
        self.connections[index].close();
        self.dispatch(index);
    }

    // ---- connections ----

    fn open_all(&mut self, wanted: usize) -> Result<(), StreamError> {
        let deadline = now_ns()
            + self
                .plan
                .connect_timeout_ns
                .saturating_mul(1 + wanted as i64 / 64);
        let mut events = Events::with_capacity(OPENING_AT_ONCE);
        let mut standing = 0;
        while standing < wanted {
            while self.connections.len() < wanted
                && self.connections.len() < standing + OPENING_AT_ONCE
            {
                let exchange = self.exchange();
                self.connections.push(Connection::new(exchange));
                let index = self.connections.len() - 1;
                self.begin_opening(index)
                    .map_err(|error| connect_error(&self.plan, &error.to_string()))?;
            }
            match self.poll.poll(&mut events, Some(ROUND)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    return Err(connect_error(&self.plan, &error.to_string()));
                }
                _ => {}
            }
            for event in &events {
                if let Some(connection) = self.connections.get_mut(event.token().0) {
                    let was_open = connection.phase == Phase::Idle;
                    advance(connection)
                        .map_err(|(_, reason)| connect_error(&self.plan, &reason))?;
                    standing += usize::from(!was_open && connection.phase == Phase::Idle);
                }
            }
            if now_ns() > deadline || self.shared.is_cancelled.load(Ordering::Acquire) {
                return Err(connect_error(
                    &self.plan,
                    "not all connections stood in time",
                ));
            }
        }
        Ok(())
    }

    fn begin_opening(&mut self, index: usize) -> io::Result<()> {
        let mut socket = Socket::connect(self.address, self.tls.as_ref())?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut socket.stream, Token(index), interest)?;
        let connection = &mut self.connections[index];
        connection.socket = Some(socket);
        connection.phase = Phase::Connecting;
        connection.opening = Opening {
            began_ns: now_ns(),
            tcp_ns: 0,
        };
        connection.reads = 0;
        connection.carried = 0;
        Ok(())
    }

    /// A request waits for this connection, which is being opened.
    fn go_on_opening(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        if let Err((kind, reason)) = advance(connection) {
            return self.end_with(index, Failure::new(kind, reason));
        }
        if connection.phase != Phase::Idle {
            return;
        }
        let opening = connection.opening;
        if let Some(sent) = &mut connection.sent {
            let now = now_ns();
            sent.connect_ns = now - opening.began_ns;
            sent.tls_ns = if self.tls.is_some() {
                now - opening.tcp_ns
            } else {
                0
            };
            self.send(index);
        }
    }

    fn enforce_limits(&mut self, now: i64) {
        for index in 0..self.connections.len() {
            let connection = &self.connections[index];
            let Some(sent) = connection.sent else {
                continue;
            };
            match connection.phase {
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

    fn fail_all(&mut self, failure: &Failure) {
        self.shared.is_cancelled.store(true, Ordering::Release);
        for index in 0..self.connections.len() {
            if self.connections[index].sent.is_some() {
                self.end_with(index, failure.clone());
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

/// One step of opening a connection.
fn advance(connection: &mut Connection) -> Result<(), (ErrorKind, String)> {
    let Some(socket) = &mut connection.socket else {
        return Ok(());
    };
    if connection.phase == Phase::Connecting {
        let stands = socket.is_connected();
        if !stands.map_err(|error| (ErrorKind::Connect, error.to_string()))? {
            return Ok(());
        }
        connection.opening.tcp_ns = now_ns();
        connection.phase = Phase::Handshake;
    }
    if connection.phase == Phase::Handshake {
        let shaken = socket.shake_hands();
        if shaken.map_err(|error| (ErrorKind::Tls, error.to_string()))? {
            connection.phase = Phase::Idle;
        }
    }
    Ok(())
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
