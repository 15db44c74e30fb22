//! What is wrong with an answer that is whole, in words for the user.

use super::Exchange;
use crate::load::answer::shown;
use crate::load::failure::{ErrorKind, Failure};

impl Exchange {
    /// What keeps a whole answer from being a good one.
    pub(super) fn missing(&self) -> Option<Failure> {
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
