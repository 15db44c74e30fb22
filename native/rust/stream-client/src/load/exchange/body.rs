//! The body of an answer: its pieces become events, as far as the limits allow.

use crate::dialect::Dialect;
use crate::framing::{EventParser, MAX_ANSWER_BYTES, in_words};
use crate::http::Response;
use crate::load::answer::Answer;
use crate::load::failure::{ErrorKind, Failure};
use crate::record::Arrival;

/// Cuts the pieces of a body into events and hands them to the [`Answer`].
pub(super) struct Body {
    dialect: Dialect,
    keeps_text: bool,
    parser: Box<dyn EventParser + Send>,
    /// Of a body that was read as a stream.
    bytes: usize,
}

impl Body {
    pub(super) fn new(dialect: Dialect, max_event_bytes: usize, keeps_text: bool) -> Self {
        Self {
            dialect,
            keeps_text,
            parser: dialect.framing().parser(max_event_bytes),
            bytes: 0,
        }
    }

    pub(super) fn reset(&mut self) {
        self.parser.reset();
        self.bytes = 0;
    }

    /// Take the next `piece` of the body of `response`.
    pub(super) fn take(
        &mut self,
        response: &Response,
        piece: &[u8],
        arrival: Arrival,
        answer: &mut Answer,
    ) {
        if let Some(words) = response.why_unread() {
            if response.is_success() {
                fail(answer, ErrorKind::NotAStream, words);
            }
            return;
        }
        if !response.is_success() {
            answer.keep_beginning(piece);
            return;
        }
        if answer.events == 0 {
            answer.keep_beginning(piece);
        }
        self.bytes += piece.len();
        if self.bytes > MAX_ANSWER_BYTES {
            let words = format!("the answer is larger than {}", in_words(MAX_ANSWER_BYTES));
            fail(answer, ErrorKind::TooLarge, words);
            return;
        }
        let (dialect, keeps_text) = (self.dialect, self.keeps_text);
        let parsed = self.parser.push(piece, &mut |payload| {
            answer.take_event(dialect, payload, arrival, keeps_text);
        });
        if let Err(too_large) = parsed {
            let words = format!("an event is larger than {}", in_words(too_large.0));
            fail(answer, ErrorKind::TooLarge, words);
        }
    }

    /// The body has ended, perhaps with an event that no mark of its own has closed.
    pub(super) fn finish(&mut self, arrival: Arrival, answer: &mut Answer) {
        let (dialect, keeps_text) = (self.dialect, self.keeps_text);
        self.parser.finish(&mut |payload| {
            answer.take_event(dialect, payload, arrival, keeps_text);
        });
    }
}

/// The first failure is the one that counts.
fn fail(answer: &mut Answer, kind: ErrorKind, words: String) {
    answer.failure.get_or_insert(Failure::new(kind, words));
}
