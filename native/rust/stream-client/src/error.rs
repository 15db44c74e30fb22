//! What can go wrong between the first byte sent and the last one read.

use std::time::Duration;

use crate::framing::in_words;

/// Why there is no record.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The request itself makes no sense: a URL, a header, a duration.
    #[error("{0}")]
    InvalidRequest(String),
    /// No connection came about.
    #[error("cannot connect to {address}: {reason}")]
    Connect {
        /// `host:port`.
        address: String,
        /// The system's words, or that the time was up.
        reason: String,
    },
    /// The answer did not end in time.
    #[error("no end of the answer after {} s ({events} events so far)", limit.as_secs_f64())]
    Timeout {
        /// The time that was given, from the open connection on.
        limit: Duration,
        /// Events that had come until then.
        events: usize,
    },
    /// The answer began, and did not go on.
    #[error(
        "nothing came for {} s within the answer ({events} events so far)", limit.as_secs_f64()
    )]
    Stalled {
        /// The time that was given from one event to the next.
        limit: Duration,
        /// Events that had come until then.
        events: usize,
    },
    /// What the server sent is not HTTP, or it closed the connection within an answer.
    #[error("{reason} ({events} events so far)")]
    Protocol {
        /// What is wrong with the answer.
        reason: String,
        /// Events that had come until then.
        events: usize,
    },
    /// One event is larger than allowed.
    #[error("an event of the stream is larger than {}", in_words(*limit))]
    EventTooLarge {
        /// Bytes an event may have.
        limit: usize,
    },
    /// The whole answer is.
    #[error("the answer is larger than {}", in_words(*limit))]
    AnswerTooLarge {
        /// Bytes an answer may have.
        limit: usize,
    },
    /// More connections than this process may have.
    #[error(
        "{connections} connections need {needed} open files, and this process may have {allowed}: \
         raise the limit with `ulimit -n {needed}`, or ask for fewer"
    )]
    Limit {
        /// How many were asked for.
        connections: usize,
        /// Files that the system allows.
        allowed: u64,
        /// Files that are needed.
        needed: u64,
    },
    /// Whoever waited for the answer gave up.
    #[error("cancelled")]
    Cancelled,
}
