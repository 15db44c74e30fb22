//! What has been understood of an answer.

use crate::dialect::{Counts, Dialect, Meaning, Stop};
use crate::load::failure::{ErrorKind, Failure};
use crate::record::Arrival;

/// How much of an answer that is no stream is kept.
pub const ERROR_BODY_BYTES: usize = 4096;
const SHOWN_BYTES: usize = 80;

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
    /// Events that were understood.
    pub events: u32,
    /// Whether the stream has said that it is over.
    pub has_end: bool,
    /// Whether it has said that nothing follows.
    pub has_last: bool,
    /// The beginning of the body as long as no event was understood.
    pub beginning: Vec<u8>,
}

impl Answer {
    pub(super) fn reset(&mut self) {
        self.chunks.clear();
        self.counts = Counts::default();
        self.stop = Stop::Unknown;
        self.text.clear();
        self.figures.clear();
        self.failure = None;
        self.events = 0;
        self.has_end = false;
        self.has_last = false;
        self.beginning.clear();
    }

    pub(super) fn keep_beginning(&mut self, bytes: &[u8]) {
        let room = ERROR_BODY_BYTES - self.beginning.len().min(ERROR_BODY_BYTES);
        self.beginning
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    pub(super) fn take_event(
        &mut self,
        dialect: Dialect,
        payload: &[u8],
        arrival: Arrival,
        keeps: bool,
    ) {
        // An event without data is a sign of life.
        if self.failure.is_some() || payload.trim_ascii().is_empty() {
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
        if self.has_last && !is_mark(payload) {
            let words = format!("more after the end of its answer: {}", shown(payload));
            self.failure = Some(Failure::new(ErrorKind::Protocol, words));
            return;
        }
        if meaning.has_content() {
            self.chunks.push(Chunk {
                arrival,
                tokens: meaning.tokens,
                is_reasoning: meaning.is_reasoning,
            });
            if keeps && !meaning.is_reasoning {
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
        self.has_last |= meaning.is_last;
    }

    /// What is wrong with the server's count: a chunk with content is a token at least. Where the
    /// mark that ends an answer is sent and not counted, there is one more. Reasoning is left
    /// out: some servers do not count it.
    pub(super) fn wrong_count(&self) -> Option<Failure> {
        let total = u64::from(self.counts.output?);
        let mark = u64::from(self.stop == Stop::EndOfSequence);
        let mut sent = 0_u64;
        let mut told = 0_u64;
        for chunk in self.chunks.iter().filter(|chunk| !chunk.is_reasoning) {
            sent += 1;
            told += u64::from(chunk.tokens);
        }
        let sent = sent.max(told);
        (sent > total + mark).then(|| {
            let words = format!("the server counts {total} tokens, and sent {sent}");
            Failure::new(ErrorKind::WrongCount, words)
        })
    }

    /// Tokens of the answer; None if nobody has counted them.
    #[must_use]
    pub fn output_tokens(&self) -> Option<u32> {
        let all_known = self.chunks.iter().all(|chunk| chunk.tokens > 0);
        self.counts
            .output
            .or_else(|| all_known.then(|| self.sum_of_chunks()))
    }

    fn sum_of_chunks(&self) -> u32 {
        let tokens = self.chunks.iter().map(|chunk| chunk.tokens);
        tokens.fold(0, u32::saturating_add)
    }

    /// A chunk is a token only where the totals agree. Some servers count the mark that ends an
    /// answer and send no content for it.
    pub(super) fn settle_tokens(&mut self) {
        let chunks = self.chunks.len();
        let mark = usize::from(self.stop == Stop::EndOfSequence);
        let none_known = self.chunks.iter().all(|chunk| chunk.tokens == 0);
        let total = self.counts.output.map(|total| total as usize);
        if none_known && total.is_some_and(|total| total == chunks || total == chunks + mark) {
            for chunk in &mut self.chunks {
                chunk.tokens = 1;
            }
        }
    }
}

/// Whether it is the mark of the end and nothing else: some servers send theirs twice.
fn is_mark(payload: &[u8]) -> bool {
    payload.trim_ascii() == b"[DONE]"
}

/// The beginning of `bytes`, quoted.
pub(super) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES)]).into_owned();
    format!(
        "{text:?}{}",
        if bytes.len() > SHOWN_BYTES { "…" } else { "" }
    )
}
