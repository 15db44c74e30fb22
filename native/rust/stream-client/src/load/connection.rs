//! One connection and the request that is under way on it.

use crate::load::columns::Sent;
use crate::load::exchange::Exchange;
use crate::load::socket::Socket;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is not there.
    Closed,
    /// TCP is being set up.
    Connecting,
    /// TLS is being set up.
    Handshake,
    /// It stands and waits for a request.
    Idle,
    /// A request is being written, or its answer read.
    Busy,
}

/// How long opening took, in stamps of `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    /// It began.
    pub began_ns: i64,
    /// TCP stood.
    pub tcp_ns: i64,
}

/// A connection, its buffers, and what is under way on it.
pub struct Connection {
    /// The socket; None while it is closed.
    pub socket: Option<Socket>,
    /// What it is doing.
    pub phase: Phase,
    /// When it was opened.
    pub opening: Opening,
    /// The bytes of the request.
    pub out: Vec<u8>,
    /// How many of them are written.
    pub written: usize,
    /// Reads on this connection so far.
    pub reads: u32,
    /// The other side has closed it, which was told along with the last bytes: nothing will tell
    /// it again, and a request sent after that might wait for ever.
    pub is_closing: bool,
    /// Requests that this socket has carried.
    pub carried: u32,
    /// The request that is under way or waits for the connection.
    pub sent: Option<Sent>,
    /// Its answer.
    pub exchange: Exchange,
}

impl Connection {
    /// One that is not open yet.
    #[must_use]
    pub fn new(exchange: Exchange) -> Self {
        Self {
            socket: None,
            phase: Phase::Closed,
            opening: Opening::default(),
            out: Vec::new(),
            written: 0,
            reads: 0,
            is_closing: false,
            carried: 0,
            sent: None,
            exchange,
        }
    }

    /// Close it, if it is open.
    pub fn close(&mut self) {
        self.socket = None;
        self.is_closing = false;
        self.phase = Phase::Closed;
    }
}
