//! Requests that have ended, in columns.

use crate::dialect::Stop;
use crate::load::exchange::Exchange;

/// What is known of a request besides its answer. Nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Order of sending, from 0.
    pub number: i64,
    /// Closed loop: which user; open loop: which connection.
    pub user: i32,
    /// When it was due.
    pub scheduled_ns: i64,
    /// Just before its first byte was written; 0: never.
    pub sent_ns: i64,
    /// Duration of opening the connection, if this request had to; else 0.
    pub connect_ns: i64,
    /// The part of it that TLS took.
    pub tls_ns: i64,
}

/// n requests and the m chunks of their answers.
#[derive(Clone, Debug, Default)]
#[allow(
    missing_docs,
    reason = "the names are those of the Python module's stub"
)]
pub struct Columns {
    pub number: Vec<i64>,
    pub user: Vec<i32>,
    pub scheduled_ns: Vec<i64>,
    pub sent_ns: Vec<i64>,
    pub connect_ns: Vec<i64>,
    pub tls_ns: Vec<i64>,
    pub headers_ns: Vec<i64>,
    pub ended_ns: Vec<i64>,
    pub status: Vec<i32>,
    pub prompt_tokens: Vec<i32>,
    pub output_tokens: Vec<i32>,
    pub error_kind: Vec<&'static str>,
    pub error: Vec<String>,
    pub stop: Vec<&'static str>,
    pub text: Vec<String>,
    pub figures: Vec<Vec<u8>>,
    /// n long here; the module puts the 0 before it.
    pub chunk_ends: Vec<i64>,
    pub chunk_ns: Vec<i64>,
    pub chunk_tokens: Vec<i32>,
    pub chunk_reads: Vec<i32>,
    pub chunk_is_reasoning: Vec<u8>,
}

impl Columns {
    /// Add a request that ended at `ended_ns`.
    pub fn push(&mut self, sent: &Sent, exchange: &Exchange, ended_ns: i64) {
        let answer = &exchange.answer;
        self.number.push(sent.number);
        self.user.push(sent.user);
        self.scheduled_ns.push(sent.scheduled_ns);
        self.sent_ns.push(sent.sent_ns);
        self.connect_ns.push(sent.connect_ns);
        self.tls_ns.push(sent.tls_ns);
        self.headers_ns.push(exchange.headers_ns);
        self.ended_ns.push(ended_ns);
        self.status.push(i32::from(exchange.status()));
        self.prompt_tokens
            .push(answer.counts.prompt.map_or(-1, as_i32));
        self.output_tokens
            .push(answer.output_tokens().map_or(-1, as_i32));
        let failure = answer.failure.as_ref();
        self.error_kind
            .push(failure.map_or("", |failure| failure.kind.name()));
        self.error
            .push(failure.map_or_else(String::new, |failure| failure.text.clone()));
        self.stop.push(match answer.stop {
            Stop::Unknown => "",
            Stop::Length => "length",
            Stop::EndOfSequence => "end-of-sequence",
        });
        self.text.push(answer.text.clone());
        self.figures.push(answer.figures.clone());
        for chunk in &answer.chunks {
            self.chunk_ns.push(chunk.arrival.ns);
            self.chunk_tokens.push(as_i32(chunk.tokens));
            self.chunk_reads.push(as_i32(chunk.arrival.read_index));
            self.chunk_is_reasoning.push(u8::from(chunk.is_reasoning));
        }
        self.chunk_ends
            .push(i64::try_from(self.chunk_ns.len()).unwrap_or(i64::MAX));
    }
}

fn as_i32(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
