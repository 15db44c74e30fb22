//! One request and its answer, from the bytes as they come.

use crate::dialect::{Counts, Dialect, Meaning, Stop};
use crate::framing::EventParser;
use crate::http::{HttpError, Response};
use crate::record::Arrival;

/// How much of an answer that is no stream is kept.
pub const ERROR_BODY_BYTES: usize = 4096;
const SHOWN_BYTES: usize = 80;

/// What went wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection came about.
    Connect,
    /// The connection could not be encrypted.
    Tls,
    /// No answer in time.
    Timeout,
    /// A status other than 2xx.
    Status,
    /// What came is not HTTP, or no message of the dialect.
    Protocol,
    /// The connection was closed before the answer's end.
    Closed,
    /// An error object in an answer that began well.
    StreamError,
    /// An event is larger than allowed.
    TooLarge,
    /// A 2xx whose body is no stream.
    NotAStream,
    /// A stream without content.
    Empty,
    /// A stream that ends without saying so.
    NoEnd,
    /// Whoever wanted the answer gave up.
    Cancelled,
}

impl ErrorKind {
    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::Protocol => "protocol",
            Self::Closed => "closed",
            Self::StreamError => "stream-error",
            Self::TooLarge => "too-large",
            Self::NotAStream => "not-a-stream",
            Self::Empty => "empty",
            Self::NoEnd => "no-end",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What went wrong, and the reason in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its kind.
    pub kind: ErrorKind,
    /// The reason, with the beginning of the server's own words.
    pub text: String,
}

impl Failure {
    /// A failure of that kind.
    #[must_use]
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }
}

/// One chunk with content, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The read that completed it.
    pub arrival: Arrival,
    /// Tokens in it; 0: not known.
    pub tokens: u32,
    /// Whether it is reasoning.
    pub is_reasoning: bool,
}

/// What has been understood of an answer so far.
#[derive(Debug, Default)]
pub struct Answer {
    /// Chunks with content, in their order.
    pub chunks: Vec<Chunk>,
    /// Token counts as the server tells them.
    pub counts: Counts,
    /// Why it ended.
    pub stop: Stop,
    /// The text, if it is kept.
    pub text: String,
    /// The event that carried the server's own figures.
    pub figures: Vec<u8>,
    /// What went wrong.
    pub failure: Option<Failure>,
    events: u32,
    has_end: bool,
    /// The beginning of the body as long as no event was understood.
    beginning: Vec<u8>,
}

impl Answer {
    fn reset(&mut self) {
        self.chunks.clear();
        self.counts = Counts::default();
        self.stop = Stop::Unknown;
        self.text.clear();
        self.figures.clear();
        self.failure = None;
        self.events = 0;
        self.has_end = false;
        self.beginning.clear();
    }

    fn keep_beginning(&mut self, bytes: &[u8]) {
        let room = ERROR_BODY_BYTES - self.beginning.len().min(ERROR_BODY_BYTES);
        self.beginning
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn take_event(&mut self, dialect: Dialect, payload: &[u8], arrival: Arrival, keeps: bool) {
        if self.failure.is_some() {
            return;
        }
        match dialect.read(payload, &mut self.counts) {
            Ok(meaning) => self.take_meaning(meaning, payload, arrival, keeps),
            Err(_) if self.events == 0 => {
                let words = format!("it answered with what is no stream: {}", shown(payload));
                self.failure = Some(Failure::new(ErrorKind::NotAStream, words));
            }
            Err(_) => {
                let words = format!("an event is no message: {}", shown(payload));
                self.failure = Some(Failure::new(ErrorKind::Protocol, words));
            }
        }
    }

    fn take_meaning(&mut self, meaning: Meaning, payload: &[u8], arrival: Arrival, keeps: bool) {
        self.events += 1;
        if let Some(error) = meaning.error {
            self.failure = Some(Failure::new(ErrorKind::StreamError, error));
            return;
        }
        if meaning.has_content() {
            self.chunks.push(Chunk {
                arrival,
                tokens: meaning.tokens,
                is_reasoning: meaning.is_reasoning,
            });
            if keeps {
                self.text.push_str(&meaning.text);
            }
        }
        if meaning.stop != Stop::Unknown {
            self.stop = meaning.stop;
        }
        if meaning.has_figures {
            self.figures.clear();
            self.figures.extend_from_slice(payload);
        }
        self.has_end |= meaning.is_end;
    }

    /// Tokens of the answer; None if nobody has counted them.
    #[must_use]
    pub fn output_tokens(&self) -> Option<u32> {
        let all_known = self.chunks.iter().all(|chunk| chunk.tokens > 0);
        self.counts
            .output
            .or_else(|| all_known.then(|| self.chunks.iter().map(|chunk| chunk.tokens).sum()))
    }

    /// A chunk is a token only where the totals agree.
    fn settle_tokens(&mut self) {
        let none_known = self.chunks.iter().all(|chunk| chunk.tokens == 0);
        if none_known && self.counts.output.map(|total| total as usize) == Some(self.chunks.len()) {
            for chunk in &mut self.chunks {
                chunk.tokens = 1;
            }
        }
    }
}

/// One request and its answer. Used again and again on the same connection.
pub struct Exchange {
    dialect: Dialect,
    keeps_text: bool,
    response: Response,
    parser: Box<dyn EventParser + Send>,
    /// What has been understood so far.
    pub answer: Answer,
    /// The read that completed the head; 0 before.
    pub headers_ns: i64,
}

impl Exchange {
    /// For answers in `dialect` whose events have at most `max_event_bytes`.
    #[must_use]
    pub fn new(dialect: Dialect, max_event_bytes: usize, keeps_text: bool) -> Self {
        Self {
            dialect,
            keeps_text,
            response: Response::default(),
            parser: dialect.framing().parser(max_event_bytes),
            answer: Answer::default(),
            headers_ns: 0,
        }
    }

    /// Forget everything: another request is sent.
    pub fn reset(&mut self) {
        self.response.reset();
        self.parser.reset();
        self.answer.reset();
        self.headers_ns = 0;
    }

    /// HTTP status; 0 before the head was read.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// Whether the connection may be used for another request.
    #[must_use]
    pub fn is_kept_alive(&self) -> bool {
        self.response.is_kept_alive && self.response.is_done()
    }

    /// Take what one read has brought. True: the exchange is over, well or not.
    pub fn take(&mut self, bytes: &[u8], arrival: Arrival) -> bool {
        let Self {
            dialect,
            keeps_text,
            response,
            parser,
            answer,
            headers_ns,
        } = self;
        let had_head = response.has_head();
        let pushed = response.push(bytes, &mut |response, piece| {
            if !is_success(response.status) {
                answer.keep_beginning(piece);
                return;
            }
            if answer.events == 0 {
                answer.keep_beginning(piece);
            }
            let parsed = parser.push(piece, &mut |payload| {
                answer.take_event(*dialect, payload, arrival, *keeps_text);
            });
            if let Err(too_large) = parsed {
                let words = format!("an event is larger than {} bytes", too_large.0);
                answer
                    .failure
                    .get_or_insert(Failure::new(ErrorKind::TooLarge, words));
            }
        });
        if !had_head && response.has_head() {
            *headers_ns = arrival.ns;
        }
        if let Err(error) = pushed {
            answer
                .failure
                .get_or_insert(Failure::new(ErrorKind::Protocol, error.to_string()));
        }
        let is_over = response.is_done() || answer.failure.is_some();
        let is_long_error = !is_success(response.status)
            && response.has_head()
            && answer.beginning.len() >= ERROR_BODY_BYTES;
        if is_over || is_long_error {
            self.finish(arrival);
            return true;
        }
        false
    }

    /// The connection was closed by the other side.
    pub fn take_end(&mut self, arrival: Arrival) {
        if let Err(error @ (HttpError::Closed(_) | HttpError::NotHttp(_))) = self.response.end() {
            let words = format!("{error} ({} events so far)", self.answer.events);
            self.fail(Failure::new(ErrorKind::Closed, words));
        }
        self.finish(arrival);
    }

    /// The exchange is over for a reason of ours or the network's.
    pub fn fail(&mut self, failure: Failure) {
        self.answer.failure.get_or_insert(failure);
        self.answer.settle_tokens();
    }

    /// Whether nothing at all has come yet.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        !self.response.has_head()
    }

    fn finish(&mut self, arrival: Arrival) {
        let Self {
            dialect,
            keeps_text,
            parser,
            answer,
            ..
        } = self;
        if answer.failure.is_none() && is_success(self.response.status) {
            parser.finish(&mut |payload| {
                answer.take_event(*dialect, payload, arrival, *keeps_text);
            });
        }
        self.answer.settle_tokens();
        if self.answer.failure.is_none() {
            self.answer.failure = self.missing();
        }
    }

    /// What keeps a whole answer from being a good one.
    fn missing(&self) -> Option<Failure> {
        let answer = &self.answer;
        let status = self.response.status;
        if !is_success(status) {
            return Some(Failure::new(ErrorKind::Status, self.refusal()));
        }
        if answer.events == 0 && !answer.beginning.is_empty() {
            let kind = &self.response.content_type;
            let words = format!(
                "it answered with what is no stream ({}): {}",
                if kind.is_empty() { "no type" } else { kind },
                shown(&answer.beginning)
            );
            return Some(Failure::new(ErrorKind::NotAStream, words));
        }
        if answer.chunks.is_empty() {
            return Some(Failure::new(ErrorKind::Empty, "the answer has no content"));
        }
        if !answer.has_end {
            let words = format!(
                "the stream ends without a mark after {} events",
                answer.events
            );
            return Some(Failure::new(ErrorKind::NoEnd, words));
        }
        None
    }

    /// The server's refusal in words.
    fn refusal(&self) -> String {
        let response = &self.response;
        let said = String::from_utf8_lossy(&self.answer.beginning);
        let said = said.trim();
        let said = if said.is_empty() {
            "no reason given"
        } else {
            said
        };
        let location = aside("it sends us on to ", &response.location);
        let retry = aside("Retry-After: ", &response.retry_after);
        format!("status {}: {said}{location}{retry}", response.status)
    }
}

/// ` (name value)`, or nothing where there is no value.
fn aside(name: &str, value: &str) -> String {
    if value.is_empty() {
        String::new()
    } else {
        format!(" ({name}{value})")
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES)]).into_owned();
    format!(
        "{text:?}{}",
        if bytes.len() > SHOWN_BYTES { "…" } else { "" }
    )
}
