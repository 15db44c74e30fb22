//! Sends one request and records its streamed answer, event by event.
//!
//! It blocks in the socket's own read: nothing lies between the bytes and their stamp.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::clock::now_ns;
use crate::error::StreamError;
use crate::framing::Framing;
use crate::http::{HttpError, RequestTemplate, Response, Target, resolve};
use crate::record::{Arrival, Event, StreamRecord};

const ERROR_BODY_BYTES: usize = 4096;
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
            max_event_bytes: 64 << 20,
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
    let mut exchange = Exchange::new(request, connected_ns);
    let too_late = |events| StreamError::Timeout {
        limit: request.timeout,
        events,
    };
    exchange.record.requested_ns = now_ns();
    stream
        .set_write_timeout(Some(request.timeout))
        .and_then(|()| stream.write_all(&out))
        .map_err(|error| match is_patience(&error) {
            true => too_late(0),
            false => exchange.broken(&error.to_string()),
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
            Err(error) if is_patience(&error) => {}
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

/// The answer of one request as it comes.
struct Exchange {
    response: Response,
    parser: Box<dyn crate::framing::EventParser + Send>,
    record: StreamRecord,
    last: Arrival,
}

impl Exchange {
    fn new(request: &StreamRequest, connected_ns: i64) -> Self {
        Self {
            response: Response::default(),
            parser: request.framing.parser(request.max_event_bytes),
            record: StreamRecord {
                status: 0,
                connected_ns,
                requested_ns: connected_ns,
                headers_ns: 0,
                events: Vec::new(),
                ended_ns: 0,
                error_body: Vec::new(),
            },
            last: Arrival {
                read_index: 0,
                ns: connected_ns,
            },
        }
    }

    /// Take what one read has brought. True: nothing more is wanted.
    fn take(&mut self, bytes: &[u8], ns: i64) -> Result<bool, StreamError> {
        let arrival = Arrival {
            read_index: self.last.read_index + 1,
            ns,
        };
        self.last = arrival;
        let Self {
            response,
            parser,
            record,
            ..
        } = self;
        let mut too_large = None;
        let had_head = response.has_head();
        let pushed = response.push(bytes, &mut |response, piece| {
            if !(200..300).contains(&response.status) {
                let room = ERROR_BODY_BYTES - record.error_body.len();
                record
                    .error_body
                    .extend_from_slice(&piece[..piece.len().min(room)]);
                return;
            }
            let events = &mut record.events;
            let parsed = parser.push(piece, &mut |payload| {
                events.push(Event {
                    payload: payload.to_vec(),
                    arrival,
                });
            });
            too_large = too_large.or(parsed.err());
        });
        if !had_head && response.has_head() {
            record.status = response.status;
            record.headers_ns = ns;
        }
        if let Some(limit) = too_large {
            return Err(StreamError::EventTooLarge { limit: limit.0 });
        }
        pushed.map_err(|error| self.broken(&error.to_string()))?;
        Ok(self.response.is_done() || self.record.error_body.len() == ERROR_BODY_BYTES)
    }

    /// The connection was closed.
    fn end(&mut self) -> Result<(), StreamError> {
        match self.response.end() {
            Ok(()) => Ok(()),
            // The status is worth more than the rest of a text that breaks off.
            Err(HttpError::Closed(_)) if self.record.status >= 300 => Ok(()),
            Err(error) => Err(self.broken(&error.to_string())),
        }
    }

    fn finish(mut self) -> StreamRecord {
        let Self {
            parser,
            record,
            last,
            ..
        } = &mut self;
        if record.error_body.is_empty() {
            parser.finish(&mut |payload| {
                record.events.push(Event {
                    payload: payload.to_vec(),
                    arrival: *last,
                });
            });
        }
        self.record.ended_ns = now_ns();
        self.record
    }

    fn broken(&self, reason: &str) -> StreamError {
        let events = self.record.events.len();
        StreamError::Protocol {
            reason: reason.to_owned(),
            events,
        }
    }
}
