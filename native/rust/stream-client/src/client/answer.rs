//! The answer of one request as it comes: bytes in, events out; no I/O.

use crate::clock::now_ns;
use crate::dialect::{Counts, Dialect};
use crate::error::StreamError;
use crate::framing::{EventParser, Framing, MAX_ANSWER_BYTES};
use crate::http::{HttpError, Response};
use crate::record::{Arrival, Event, StreamRecord};

const ERROR_BODY_BYTES: usize = 4096;
/// How long the end of a body is waited for when the stream has said that it is over.
const MOST_AFTER_END_NS: i64 = 1_000_000_000;

/// What is known of an answer so far.
pub struct Exchange {
    response: Response,
    parser: Box<dyn EventParser + Send>,
    body_bytes: usize,
    /// Its record.
    pub record: StreamRecord,
    last: Arrival,
}

impl Exchange {
    /// For events of at most `max_event_bytes`, on a connection that stands since `connected_ns`.
    pub fn new(framing: Framing, max_event_bytes: usize, connected_ns: i64) -> Self {
        Self {
            response: Response::default(),
            parser: framing.parser(max_event_bytes),
            body_bytes: 0,
            record: StreamRecord {
                status: 0,
                connected_ns,
                requested_ns: connected_ns,
                headers_ns: 0,
                events: Vec::new(),
                ended_ns: 0,
                error_body: Vec::new(),
                location: String::new(),
                retry_after: String::new(),
            },
            last: Arrival {
                read_index: 0,
                ns: connected_ns,
            },
        }
    }

    /// Take what one read has brought. True: nothing more is wanted.
    pub fn take(&mut self, bytes: &[u8], ns: i64) -> Result<bool, StreamError> {
        let arrival = Arrival {
            read_index: self.last.read_index + 1,
            ns,
        };
        self.last = arrival;
        let Self {
            response,
            parser,
            body_bytes,
            record,
            ..
        } = self;
        let mut failure = None;
        let had_head = response.has_head();
        let pushed = response.push(bytes, &mut |response, piece| {
            if response.why_unread().is_some() || failure.is_some() {
                return;
            }
            if record.events.is_empty() {
                let room = ERROR_BODY_BYTES - record.error_body.len();
                let kept = &piece[..piece.len().min(room)];
                record.error_body.extend_from_slice(kept);
            }
            if !response.is_success() {
                return;
            }
            *body_bytes += piece.len();
            if *body_bytes > MAX_ANSWER_BYTES {
                let limit = MAX_ANSWER_BYTES;
                failure = Some(StreamError::AnswerTooLarge { limit });
                return;
            }
            let events = &mut record.events;
            let parsed = parser.push(piece, &mut |payload| {
                events.push(Event {
                    payload: payload.to_vec(),
                    arrival,
                });
            });
            failure = parsed
                .err()
                .map(|limit| StreamError::EventTooLarge { limit: limit.0 });
        });
        if !had_head && response.has_head() {
            record.status = response.status;
            record.headers_ns = ns;
            record.location.clone_from(&response.location);
            record.retry_after.clone_from(&response.retry_after);
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        let is_refusal = self.response.has_head() && !self.response.is_success();
        match pushed {
            Err(error) if !is_refusal => return Err(self.broken(&error.to_string())),
            // A status is worth more than the rest of a text that makes no sense.
            Err(_) => return Ok(true),
            Ok(_) => {}
        }
        if let Some(words) = self.response.why_unread() {
            if self.response.is_success() {
                return Err(self.broken(&words));
            }
            self.record.error_body = words.into_bytes();
            return Ok(true);
        }
        let is_enough = is_refusal && self.record.error_body.len() == ERROR_BODY_BYTES;
        Ok(self.response.is_done() || is_enough)
    }

    /// The connection was closed.
    pub fn end(&mut self) -> Result<(), StreamError> {
        match self.response.end() {
            Ok(()) => Ok(()),
            // The status is worth more than the rest of a text that breaks off.
            Err(HttpError::Closed(_)) if self.record.status >= 300 => Ok(()),
            Err(error) => Err(self.broken(&error.to_string())),
        }
    }

    /// Whether the last event was the end, and nothing has come since, for so long that the
    /// body's own end need not be waited for.
    pub fn has_said_its_end(&self, framing: Framing, now_ns: i64) -> bool {
        let Some(last) = self.record.events.last() else {
            return false;
        };
        if now_ns - self.last.ns < MOST_AFTER_END_NS {
            return false;
        }
        let dialects: &[Dialect] = match framing {
            Framing::Ndjson => &[Dialect::OllamaGenerate],
            Framing::Sse => &[Dialect::OpenAiCompletions, Dialect::LlamaCompletion],
        };
        dialects.iter().any(|dialect| {
            let meaning = dialect.read(&last.payload, &mut Counts::default());
            meaning.is_ok_and(|meaning| meaning.is_end)
        })
    }

    /// The answer is over.
    pub fn finish(mut self) -> StreamRecord {
        let Self {
            response,
            parser,
            record,
            last,
            ..
        } = &mut self;
        if response.is_success() {
            parser.finish(&mut |payload| {
                record.events.push(Event {
                    payload: payload.to_vec(),
                    arrival: *last,
                });
            });
            if !record.events.is_empty() {
                record.error_body.clear();
            }
        }
        self.record.ended_ns = now_ns();
        self.record
    }

    /// The error of an answer that breaks off.
    pub fn broken(&self, reason: &str) -> StreamError {
        let events = self.record.events.len();
        StreamError::Protocol {
            reason: reason.to_owned(),
            events,
        }
    }
}

/// What `post_stream` makes of an answer that comes in `pieces`, one a read, after which the
/// server closes the connection. The stamp of read k is k.
///
/// # Errors
/// As of `post_stream`.
pub fn read_stream(
    pieces: &[&[u8]],
    framing: Framing,
    max_event_bytes: usize,
) -> Result<StreamRecord, StreamError> {
    let mut exchange = Exchange::new(framing, max_event_bytes, 0);
    for (ns, piece) in (1..).zip(pieces.iter().filter(|piece| !piece.is_empty())) {
        if exchange.take(piece, ns)? {
            return Ok(exchange.finish());
        }
    }
    exchange.end()?;
    Ok(exchange.finish())
}
