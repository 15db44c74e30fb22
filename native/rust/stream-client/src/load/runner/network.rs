//! What the network tells of connections that stand, and how they come to stand.

use std::io;
use std::sync::atomic::Ordering;

use mio::{Events, Interest, Token};

use crate::clock::now_ns;
use crate::error::StreamError;
use crate::load::connection::{Connection, Opening, Phase};
use crate::load::failure::{ErrorKind, Failure};
use crate::load::plan::Shape;
use crate::load::runner::{
    MOST_TO_LEARN_OF_A_CLOSE_NS, OPENING_AT_ONCE, ROUND, Runner, connect_error,
};
use crate::load::socket::{Got, Socket};
use crate::record::Arrival;

impl Runner {
    pub(super) fn on_ready(&mut self, index: usize, is_closed: bool) {
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
    pub(super) fn read(&mut self, index: usize, is_closed: bool) {
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
                        if self.was_spoilt(index) {
                            return self.dispatch_again(index);
                        }
                        self.connections[index].is_closing = is_closed;
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

    pub(super) fn take(&mut self, index: usize, count: usize, arrival: Arrival) -> bool {
        let connection = &mut self.connections[index];
        let before = connection.exchange.answer.chunks.len();
        let is_over = connection.exchange.take(&self.buffer[..count], arrival);
        let scheduled_ns = connection.sent.map_or(0, |sent| sent.scheduled_ns);
        self.live
            .saw(&connection.exchange.answer, before, scheduled_ns);
        is_over
    }

    pub(super) fn on_close(&mut self, index: usize, arrival: Arrival) {
        if self.was_stale(index) {
            return self.dispatch_again(index);
        }
        self.connections[index].exchange.take_end(arrival);
        self.end(index);
    }

    /// Whether the server had closed the connection before it saw the request: it may do so
    /// between two requests, and the client learns of it too late.
    pub(super) fn was_stale(&self, index: usize) -> bool {
        let connection = &self.connections[index];
        let is_soon = connection
            .sent
            .is_some_and(|sent| now_ns() - sent.sent_ns < MOST_TO_LEARN_OF_A_CLOSE_NS);
        connection.carried > 1 && connection.exchange.is_untouched() && is_soon
    }

    /// Whether what came belongs to the answer before: its server sent more than it had said.
    fn was_spoilt(&self, index: usize) -> bool {
        let failure = self.connections[index].exchange.answer.failure.as_ref();
        self.was_stale(index) && failure.is_some_and(|failure| failure.kind == ErrorKind::Protocol)
    }

    pub(super) fn dispatch_again(&mut self, index: usize) {
        let is_closed_loop = matches!(self.plan.shape, Shape::Closed { .. });
        let connection = &mut self.connections[index];
        connection.close();
        if let Some(sent) = connection.sent.as_mut().filter(|_| is_closed_loop) {
            sent.scheduled_ns = 0;
        }
        self.dispatch(index);
    }

    pub(super) fn open_all(&mut self, wanted: usize) -> Result<(), StreamError> {
        let deadline = now_ns()
            + self
                .plan
                .connect_timeout_ns
                .saturating_mul(1 + i64::try_from(wanted / OPENING_AT_ONCE).unwrap_or(0));
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
                return Err(connect_error(
                    &self.plan,
                    "not all connections stood in time",
                ));
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
