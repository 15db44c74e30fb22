//! Sends one request and records its streamed answer, event by event.
//!
//! It blocks in the socket's own read: nothing lies between the bytes and their stamp.

mod answer;

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub use answer::read_stream;

use crate::client::answer::Exchange;
use crate::clock::now_ns;
use crate::error::StreamError;
use crate::framing::{Framing, MAX_EVENT_BYTES};
use crate::http::{RequestTemplate, Target, resolve};
use crate::record::StreamRecord;

const BUFFER_BYTES: usize = 64 << 10;
/// How long a read may last before the wish to end is looked at.
const PATIENCE: Duration = Duration::from_millis(100);

/// One POST whose answer is a stream of events.
#[derive(Clone, Debug)]
pub struct StreamRequest {
    target: Target,
    headers: Vec<(String, String)>,
    /// The request's body.
    pub body: Vec<u8>,
    /// How the answer's events are cut.
    pub framing: Framing,
    /// Time for the answer, from the open connection to its end.
    pub timeout: Duration,
    /// Time for the next event, once one has come.
    pub stall_timeout: Duration,
    /// Time until the connection stands.
    pub connect_timeout: Duration,
    /// Bytes that one event may have.
    pub max_event_bytes: usize,
}

impl StreamRequest {
    /// A request of `body` to `url` with the usual limits and headers.
    ///
    /// # Errors
    /// `url` is not an absolute `http://` URL.
    pub fn new(url: &str, body: Vec<u8>, framing: Framing) -> Result<Self, StreamError> {
        let target = Target::parse(url)?;
        if target.is_tls {
            return Err(StreamError::InvalidRequest(format!(
                "{url:?} is no http:// URL"
            )));
        }
        Ok(Self {
            target,
            headers: Vec::new(),
            body,
            framing,
            timeout: Duration::from_secs(600),
            stall_timeout: Duration::from_secs(120),
            connect_timeout: Duration::from_secs(5),
            max_event_bytes: MAX_EVENT_BYTES,
        })
    }

    /// Add a header, in place of one of the same name.
    pub fn set_header(&mut self, name: &str, value: &str) {
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    fn bytes(&self) -> Result<Vec<u8>, StreamError> {
        let accept = self.framing.media_type();
        let template = RequestTemplate::new(&self.target, accept, &self.headers, None)?;
        let mut out = Vec::new();
        template.write(0, &self.body, &mut out);
        Ok(out)
    }
}

/// Send `request` and wait for the end of its answer, on this thread.
///
/// `cancel` ends the wait from outside when it becomes true, within a tenth of a second.
///
/// # Errors
/// See [`StreamError`].
pub fn post_stream(
    request: &StreamRequest,
    cancel: &AtomicBool,
) -> Result<StreamRecord, StreamError> {
    let out = request.bytes()?;
    let mut stream = connect(request)?;
    let connected_ns = now_ns();
    let deadline = Instant::now() + request.timeout;
    let mut exchange = Exchange::new(request.framing, request.max_event_bytes, connected_ns);
    let too_late = |events| StreamError::Timeout {
        limit: request.timeout,
        events,
    };
    exchange.record.requested_ns = now_ns();
    stream
        .set_write_timeout(Some(request.timeout))
        .and_then(|()| stream.write_all(&out))
        .map_err(|error| {
            if is_patience(&error) {
                too_late(0)
            } else {
                exchange.broken(&error.to_string())
            }
        })?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut last_event = None;
    loop {
        if cancel.load(Ordering::Acquire) {
            return Err(StreamError::Cancelled);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(too_late(exchange.record.events.len()));
        }
        if last_event.is_some_and(|last: Instant| last.elapsed() >= request.stall_timeout) {
            let events = exchange.record.events.len();
            return Err(StreamError::Stalled {
                limit: request.stall_timeout,
                events,
            });
        }
        let patience = left.min(PATIENCE).min(request.stall_timeout);
        stream
            .set_read_timeout(Some(patience))
            .map_err(|error| exchange.broken(&error.to_string()))?;
        match stream.read(&mut buffer) {
            Ok(0) => {
                exchange.end()?;
                break;
            }
            Ok(count) => {
                let before = exchange.record.events.len();
                if exchange.take(&buffer[..count], now_ns())? {
                    break;
                }
                if exchange.record.events.len() > before {
                    last_event = Some(Instant::now());
                }
            }
            Err(error) if is_patience(&error) => {
                if exchange.has_said_its_end(request.framing, now_ns()) {
                    break;
                }
            }
            Err(error) => return Err(exchange.broken(&error.to_string())),
        }
    }
    Ok(exchange.finish())
}

fn connect(request: &StreamRequest) -> Result<TcpStream, StreamError> {
    let failed = |reason: String| StreamError::Connect {
        address: request.target.authority.clone(),
        reason,
    };
    let limit = request.connect_timeout;
    let mut reason = "no address".to_owned();
    for address in resolve(&request.target, limit)? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => {
                stream
                    .set_nodelay(true)
                    .map_err(|error| failed(error.to_string()))?;
                return Ok(stream);
            }
            Err(error) => reason = error.to_string(),
        }
    }
    Err(failed(reason))
}

fn is_patience(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}
