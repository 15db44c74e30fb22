//! One request and its answer, from the bytes as they come.
//!
//! `body` makes events of them, `verdict` says what is wrong with the whole.

mod body;
#[cfg(test)]
mod tests;
mod verdict;

use self::body::Body;
use crate::dialect::Dialect;
use crate::http::Response;
use crate::load::answer::{Answer, ERROR_BODY_BYTES};
use crate::load::failure::{ErrorKind, Failure};
use crate::record::Arrival;

/// One request and its answer. Used again and again on the same connection.
pub struct Exchange {
    response: Response,
    body: Body,
    /// What has been understood so far.
    pub answer: Answer,
    /// The read that completed the head; 0 before.
    pub headers_ns: i64,
    /// More came than belonged to the answer.
    has_more: bool,
}

impl Exchange {
    /// For answers in `dialect` whose events have at most `max_event_bytes`.
    #[must_use]
    pub fn new(dialect: Dialect, max_event_bytes: usize, keeps_text: bool) -> Self {
        Self {
            response: Response::default(),
            body: Body::new(dialect, max_event_bytes, keeps_text),
            answer: Answer::default(),
            headers_ns: 0,
            has_more: false,
        }
    }

    /// Forget everything: another request is sent.
    pub fn reset(&mut self) {
        self.response.reset();
        self.body.reset();
        self.answer.reset();
        self.headers_ns = 0;
        self.has_more = false;
    }

    /// HTTP status; 0 before the head was read.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status
    }

    /// Whether the connection may be used for another request.
    #[must_use]
    pub fn is_kept_alive(&self) -> bool {
        self.response.is_kept_alive && self.response.is_done() && !self.has_more
    }

    /// Take what one read has brought. True: the exchange is over, well or not.
    pub fn take(&mut self, bytes: &[u8], arrival: Arrival) -> bool {
        let Self {
            response,
            body,
            answer,
            ..
        } = self;
        let had_head = response.has_head();
        let pushed = response.push(bytes, &mut |response, piece| {
            body.take(response, piece, arrival, answer);
        });
        if !had_head && response.has_head() {
            self.headers_ns = arrival.ns;
        }
        let is_refusal = self.is_refusal();
        let is_broken = pushed.is_err();
        match pushed {
            Ok(used) => self.has_more |= used < bytes.len(),
            Err(_) if is_refusal => {}
            Err(error) => {
                let failure = Failure::new(ErrorKind::Protocol, error.to_string());
                self.answer.failure.get_or_insert(failure);
            }
        }
        let is_over = self.response.is_done() || self.answer.failure.is_some();
        let is_enough = is_broken || self.answer.beginning.len() >= ERROR_BODY_BYTES;
        if is_over || (is_refusal && is_enough) {
            self.finish(arrival);
            return true;
        }
        false
    }

    /// The connection was closed by the other side.
    pub fn take_end(&mut self, arrival: Arrival) {
        if let Err(error) = self.response.end()
            && !self.is_refusal()
        {
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

    /// Whether the stream has said that it is over, and its body has not ended.
    #[must_use]
    pub fn has_said_its_end(&self) -> bool {
        self.answer.has_end && self.answer.failure.is_none()
    }

    /// The answer is whole, though its body has no end: the connection is of no more use.
    pub fn take_as_whole(&mut self) {
        self.settle();
    }

    /// Whether not even a whole head has come yet.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        !self.response.has_head()
    }

    /// Whether its status is all that counts: it is worth more than the rest of a text that
    /// breaks off or makes no sense.
    fn is_refusal(&self) -> bool {
        self.response.has_head() && !self.response.is_success()
    }

    fn finish(&mut self, arrival: Arrival) {
        if self.answer.failure.is_none() && self.response.is_success() {
            self.body.finish(arrival, &mut self.answer);
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.answer.settle_tokens();
        if self.answer.failure.is_none() {
            self.answer.failure = self.missing().or_else(|| self.answer.wrong_count());
        }
    }
}

/// What a load makes of an answer that comes in `pieces`, one a read, after which the server
/// closes the connection. The stamp of read k is k.
#[must_use]
pub fn read_load(pieces: &[&[u8]], dialect: Dialect, max_event_bytes: usize) -> Exchange {
    let mut exchange = Exchange::new(dialect, max_event_bytes, true);
    let mut arrival = Arrival {
        read_index: 0,
        ns: 0,
    };
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        arrival = Arrival {
            read_index: arrival.read_index + 1,
            ns: arrival.ns + 1,
        };
        if exchange.take(piece, arrival) {
            return exchange;
        }
    }
    exchange.take_end(arrival);
    exchange
}
