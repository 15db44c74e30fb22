//! What the network tells of connections, and what is read from them.

use std::io;

use crate::clock::now_ns;
use crate::load::connection::Phase;
use crate::load::failure::{ErrorKind, Failure};
use crate::load::plan::Shape;
use crate::load::runner::Runner;
use crate::load::socket::Got;
use crate::record::Arrival;

/// A connection that was closed between two requests tells so within a round trip. What takes
/// longer is a server that went away over the request.
const MOST_TO_LEARN_OF_A_CLOSE_NS: i64 = 1_000_000_000;

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

    fn dispatch_again(&mut self, index: usize) {
        let is_closed_loop = matches!(self.plan.shape, Shape::Closed { .. });
        let connection = &mut self.connections[index];
        connection.close();
        if let Some(sent) = connection.sent.as_mut().filter(|_| is_closed_loop) {
            sent.scheduled_ns = 0;
        }
        self.dispatch(index);
    }
}
