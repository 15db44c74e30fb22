//! How connections come to stand: all of them before the clock starts, single ones after that.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token, Waker};

use crate::clock::now_ns;
use crate::error::StreamError;
use crate::http::{RequestTemplate, resolve};
use crate::load::connection::{Connection, Opening, Phase};
use crate::load::failure::{ErrorKind, Failure};
use crate::load::limits::allowed_connections;
use crate::load::live::Live;
use crate::load::plan::Plan;
use crate::load::runner::{ROUND, Runner, TIMER, WAKER};
use crate::load::shared::Shared;
use crate::load::socket::{Socket, Tls};
use crate::load::timer::Timer;

const BUFFER_BYTES: usize = 64 << 10;
/// At most so many connections are being opened at once: a server's queue is short.
const OPENING_AT_ONCE: usize = 64;

impl Runner {
    /// Open all connections; the clock has not started yet.
    ///
    /// # Errors
    /// The plan makes no sense, or the server cannot be reached.
    pub fn open(plan: Plan, shared: Arc<Shared>) -> Result<Self, StreamError> {
        plan.check()?;
        let (wanted, most) = allowed_connections(&plan.shape)?;
        let tls = plan
            .target
            .is_tls
            .then(|| Tls::new(&plan.target, plan.ca_file.as_deref()))
            .transpose()?;
        let address = reach(&plan)?;
        let template = RequestTemplate::new(
            &plan.target,
            plan.dialect.framing().media_type(),
            &plan.headers,
            plan.id_header.as_deref(),
        )?;
        let (poll, waker, timer) =
            watching().map_err(|error| connect_error(&plan, &error.to_string()))?;
        let mut runner = Self {
            shared,
            poll,
            waker: Arc::new(waker),
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
        runner.open_all(wanted)?;
        Ok(runner)
    }

    fn open_all(&mut self, wanted: usize) -> Result<(), StreamError> {
        let batches = 1 + i64::try_from(wanted / OPENING_AT_ONCE).unwrap_or(0);
        let limit_ns = self.plan.connect_timeout_ns.saturating_mul(batches);
        let deadline = now_ns().saturating_add(limit_ns);
        let mut events = Events::with_capacity(OPENING_AT_ONCE);
        let mut standing = 0;
        while standing < wanted {
            while self.connections.len() < wanted
                && self.connections.len() < standing + OPENING_AT_ONCE
            {
                let exchange = self.exchange();
                self.connections.push(Connection::new(exchange));
                let index = self.connections.len() - 1;
                self.begin_opening(index).map_err(|error| {
                    connect_error(&self.plan, &Failure::to_connect(&error).text)
                })?;
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
                let words = format!("not all connections stood in time ({standing} of {wanted})");
                return Err(connect_error(&self.plan, &words));
            }
        }
        Ok(())
    }

    pub(super) fn begin_opening(&mut self, index: usize) -> io::Result<()> {
        // On one machine TCP may stand before `connect` returns.
        let began_ns = now_ns();
        let mut socket = Socket::connect(self.address, self.tls.as_ref())?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut socket.stream, Token(index), interest)?;
        let connection = &mut self.connections[index];
        connection.socket = Some(socket);
        connection.phase = Phase::Connecting;
        connection.opening = Opening {
            began_ns,
            tcp_ns: 0,
        };
        connection.reads = 0;
        connection.carried = 0;
        Ok(())
    }

    /// A request waits for this connection, which is being opened.
    pub(super) fn go_on_opening(&mut self, index: usize) {
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
}

/// What the loop waits for, besides connections.
fn watching() -> io::Result<(Poll, Waker, Timer)> {
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), WAKER)?;
    let timer = Timer::new(poll.registry(), TIMER)?;
    Ok((poll, waker, timer))
}

/// The first address of the target that answers. The connection is not kept: as one of many it
/// would be the odd one.
fn reach(plan: &Plan) -> Result<SocketAddr, StreamError> {
    let limit = Duration::from_nanos(u64::try_from(plan.connect_timeout_ns).unwrap_or(0));
    let mut reason = String::new();
    for address in resolve(&plan.target, limit)? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(_) => return Ok(address),
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
