//! One answer: which event comes next, and what has been written.

use std::io::Write;

use crate::dialect::{Dialect, Figures, Words};
use crate::fault::Fault;
use crate::incoming::Request;
use crate::schedule::{Answering, Schedule};
use crate::truth::Served;

/// Room for the truth of an answer, so that it need not grow while events are written; a request
/// may wish for more tokens than there is memory.
const MOST_RESERVED_EVENTS: usize = 1 << 16;

/// What comes after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another one, due then.
    Due(i64),
    /// The end of the answer.
    Finished,
    /// The connection is closed.
    Close,
}

pub struct Job {
    dialect: Dialect,
    pub number: u64,
    prompt_tokens: usize,
    wanted_tokens: Option<u32>,
    wants_usage: bool,
    fault: Option<Fault>,
    words: Words,
    pub answering: Option<Answering>,
    /// Events that are made and not written.
    unwritten: u32,
    served: Served,
}

impl Job {
    pub fn new(
        dialect: Dialect,
        number: u64,
        seen_ns: i64,
        request: &Request,
        fault: Option<Fault>,
        words: Words,
    ) -> Self {
        Self {
            dialect,
            number,
            prompt_tokens: request.prompt_tokens(),
            wanted_tokens: request.wanted_tokens(),
            wants_usage: request.wants_usage(),
            fault,
            words,
            answering: None,
            unwritten: 0,
            served: Served {
                request_id: request.id.clone().unwrap_or_else(|| number.to_string()),
                seen_ns,
                ..Served::default()
            },
        }
    }

    pub fn has_begun(&self) -> bool {
        self.answering.is_some()
    }

    pub fn into_served(self) -> Served {
        self.served
    }

    /// Returns when the first event is due.
    pub fn begin(&mut self, schedule: &Schedule, now_ns: i64) -> i64 {
        let answering = schedule.answer(self.number, now_ns, self.wanted_tokens);
        let due_ns = answering.due_ns;
        let events = MOST_RESERVED_EVENTS.min(answering.tokens as usize);
        self.served.due_ns.reserve(events);
        self.served.written_ns.reserve(events);
        self.served.tokens.reserve(events);
        self.answering = Some(answering);
        due_ns
    }

    /// The head of the answer, and what comes before the first token.
    pub fn head(&self) -> Vec<u8> {
        let mut out = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncache-control: no-store\r\n\
             transfer-encoding: chunked\r\n\r\n",
            self.dialect.media_type()
        )
        .into_bytes();
        let times = if self.fault == Some(Fault::RoleTwice) {
            2
        } else {
            1
        };
        for _ in 0..times {
            if let Some(role) = self.dialect.role(self.number) {
                add_chunk(&role, &mut out);
            }
        }
        out
    }

    /// Add the event that is due to `batch`.
    pub fn add_event(&mut self, schedule: &Schedule, batch: &mut Vec<u8>) -> Next {
        let Some(answering) = &mut self.answering else {
            return Next::Finished;
        };
        if self.fault == Some(Fault::EmptyStream) {
            return Next::Finished;
        }
        let tokens = schedule.next_tokens(answering);
        let begin = batch.len();
        // The size of a chunk stands before it: room for six digits, filled in afterwards.
        batch.extend_from_slice(b"000000\r\n");
        let content = batch.len();
        self.dialect
            .write_event(self.words, self.number, answering.sent, tokens, batch);
        let length = batch.len() - content;
        let _ = write!(&mut batch[begin..begin + 6], "{length:06x}");
        batch.extend_from_slice(b"\r\n");
        self.served.due_ns.push(answering.due_ns);
        self.served
            .tokens
            .push(i32::try_from(tokens).unwrap_or(i32::MAX));
        self.unwritten += 1;
        answering.sent += tokens;
        let is_half = answering.sent * 2 >= answering.tokens;
        match self.fault {
            Some(Fault::CloseEarly) if is_half => Next::Close,
            Some(Fault::ErrorEvent) if is_half => Next::Finished,
            _ if answering.sent >= answering.tokens => Next::Finished,
            _ => {
                schedule.go_on(answering);
                Next::Due(answering.due_ns)
            }
        }
    }

    pub fn is_batch_full(&self, schedule: &Schedule) -> bool {
        self.unwritten >= schedule.chunks_per_write.max(1)
    }

    /// All events that were made are about to be written.
    pub fn stamp(&mut self, now_ns: i64) {
        for _ in 0..std::mem::take(&mut self.unwritten) {
            self.served.written_ns.push(now_ns);
        }
    }

    /// What follows the last event.
    pub fn ending(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let sent = self
            .answering
            .as_ref()
            .map_or(0, |answering| answering.sent);
        let times = (self.served.due_ns.first(), self.served.due_ns.last());
        let (first, last) = (times.0.copied().unwrap_or(0), times.1.copied().unwrap_or(0));
        let figures = Figures {
            number: self.number,
            prompt_tokens: self.prompt_tokens,
            output_tokens: sent + u32::from(self.fault == Some(Fault::WrongUsage)),
            first_ns: first - self.served.seen_ns,
            decode_ns: last - first,
        };
        let content = match self.fault {
            Some(Fault::EmptyStream) => Vec::new(),
            Some(Fault::ErrorEvent) => self.dialect.error_event(),
            fault => {
                let with_usage = self.wants_usage && fault != Some(Fault::NoUsage);
                self.dialect
                    .ending(&figures, with_usage, fault != Some(Fault::NoEnd))
            }
        };
        if !content.is_empty() {
            add_chunk(&content, &mut out);
        }
        out.extend_from_slice(b"0\r\n\r\n");
        out
    }
}

fn add_chunk(content: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{:x}\r\n", content.len()).as_bytes());
    out.extend_from_slice(content);
    out.extend_from_slice(b"\r\n");
}
