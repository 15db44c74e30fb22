//! One request and its answer, from the bytes as they come.

use crate::dialect::Dialect;
use crate::framing::{EventParser, MAX_ANSWER_BYTES, in_words};
use crate::http::{HttpError, Response};
use crate::load::answer::{Answer, ERROR_BODY_BYTES, shown};
use crate::load::failure::{ErrorKind, Failure};
use crate::record::Arrival;

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
    body_bytes: usize,
    /// More came than belonged to the answer.
    has_more: bool,
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
            body_bytes: 0,
            has_more: false,
        }
    }

    /// Forget everything: another request is sent.
    pub fn reset(&mut self) {
        self.response.reset();
        self.parser.reset();
        self.answer.reset();
        self.headers_ns = 0;
        self.body_bytes = 0;
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
            dialect,
            keeps_text,
            response,
            parser,
            answer,
            headers_ns,
            body_bytes,
            has_more,
        } = self;
        let had_head = response.has_head();
        let pushed = response.push(bytes, &mut |response, piece| {
            if let Some(words) = response.why_unread() {
                if response.is_success() {
                    answer
                        .failure
                        .get_or_insert(Failure::new(ErrorKind::NotAStream, words));
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
            *body_bytes += piece.len();
            if *body_bytes > MAX_ANSWER_BYTES {
                let words = format!("the answer is larger than {}", in_words(MAX_ANSWER_BYTES));
                answer
                    .failure
                    .get_or_insert(Failure::new(ErrorKind::TooLarge, words));
                return;
            }
            let parsed = parser.push(piece, &mut |payload| {
                answer.take_event(*dialect, payload, arrival, *keeps_text);
            });
            if let Err(too_large) = parsed {
                let words = format!("an event is larger than {}", in_words(too_large.0));
                answer
                    .failure
                    .get_or_insert(Failure::new(ErrorKind::TooLarge, words));
            }
        });
        if !had_head && response.has_head() {
            *headers_ns = arrival.ns;
        }
        // A status is worth more than the rest of a text that makes no sense.
        let is_refusal = response.has_head() && !response.is_success();
        let is_broken = pushed.is_err();
        match pushed {
            Ok(used) => *has_more |= used < bytes.len(),
            Err(_) if is_refusal => {}
            Err(error) => {
                answer
                    .failure
                    .get_or_insert(Failure::new(ErrorKind::Protocol, error.to_string()));
            }
        }
        let is_over = response.is_done() || answer.failure.is_some();
        let is_enough = is_broken || answer.beginning.len() >= ERROR_BODY_BYTES;
        if is_over || (is_refusal && is_enough) {
            self.finish(arrival);
            return true;
        }
        false
    }

    /// The connection was closed by the other side.
    pub fn take_end(&mut self, arrival: Arrival) {
        // A status is worth more than the rest of a text that breaks off.
        let is_refusal = self.response.has_head() && !self.response.is_success();
        if let Err(error @ (HttpError::Closed(_) | HttpError::NotHttp(_))) = self.response.end()
            && !is_refusal
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
        if answer.failure.is_none() && self.response.is_success() {
            parser.finish(&mut |payload| {
                answer.take_event(*dialect, payload, arrival, *keeps_text);
            });
        }
        self.settle();
    }

    fn settle(&mut self) {
        self.answer.settle_tokens();
        if self.answer.failure.is_none() {
            self.answer.failure = self.missing().or_else(|| self.answer.wrong_count());
        }
    }

    /// What keeps a whole answer from being a good one.
    fn missing(&self) -> Option<Failure> {
        let answer = &self.answer;
        if !self.response.is_success() {
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
        let packed = response.why_unread().unwrap_or_default();
        let said = match (said.is_empty(), packed.is_empty()) {
            (false, _) => said,
            (true, false) => &packed,
            (true, true) => "no reason given",
        };
        // Before the words, which may be a page.
        let location = aside("it sends us on to ", &response.location);
        let retry = aside("Retry-After: ", &response.retry_after);
        format!("status {}{location}{retry}: {said}", response.status)
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

#[cfg(test)]
mod tests {
    use super::Exchange;
    use crate::dialect::Dialect;
    use crate::record::Arrival;

    const HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    const ONE: Arrival = Arrival {
        read_index: 1,
        ns: 10,
    };

    /// The exchange after a whole answer with these events.
    fn after(events: &[&str]) -> Exchange {
        let mut exchange = Exchange::new(Dialect::OpenAiCompletions, 1 << 16, true);
        let body = events.join(
            "

data: ",
        );
        let body = format!(
            "data: {body}

"
        );
        let answer = format!("{HEAD}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        assert!(exchange.take(answer.as_bytes(), ONE));
        exchange
    }

    fn tokens(exchange: &Exchange) -> Vec<u32> {
        exchange
            .answer
            .chunks
            .iter()
            .map(|chunk| chunk.tokens)
            .collect()
    }

    #[test]
    fn an_empty_event_is_a_sign_of_life() {
        let found = after(&["", r#"{"choices":[{"text":"a"}]}"#, " ", "[DONE]"]);
        assert_eq!(found.answer.failure, None);
        assert_eq!(found.answer.text, "a");
    }

    #[test]
    fn a_mark_that_is_counted_is_no_chunk() {
        let text = r#"{"choices":[{"text":"a"}]}"#;
        let end = r#"{"choices":[{"text":"","finish_reason":"stop"}]}"#;
        let usage = r#"{"choices":[],"usage":{"completion_tokens":3}}"#;
        assert_eq!(tokens(&after(&[text, text, end, usage, "[DONE]"])), [1, 1]);
        let length = r#"{"choices":[{"text":"","finish_reason":"length"}]}"#;
        assert_eq!(
            tokens(&after(&[text, text, length, usage, "[DONE]"])),
            [0, 0]
        );
    }

    #[test]
    fn an_answer_that_said_its_end_is_whole_without_the_end_of_its_body() {
        let mut exchange = Exchange::new(Dialect::OpenAiCompletions, 1 << 16, true);
        let body = "data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: [DONE]\n\n";
        let answer = format!("{HEAD}{:x}\r\n{body}\r\n", body.len());
        assert!(!exchange.take(answer.as_bytes(), ONE));
        assert!(exchange.has_said_its_end());
        exchange.take_as_whole();
        assert_eq!(exchange.answer.failure, None);
        assert!(!exchange.is_kept_alive());
    }
}
