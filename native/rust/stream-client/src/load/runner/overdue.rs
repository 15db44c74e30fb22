//! What has lasted too long: answers, their bodies' ends, connections that are being opened.

use std::time::Duration;

use crate::load::connection::{Connection, Phase};
use crate::load::failure::{ErrorKind, Failure};
use crate::load::runner::Runner;

/// How long the end of a body is waited for when the stream has said that it is over.
const MOST_AFTER_END_NS: i64 = 1_000_000_000;

enum Overdue {
    /// The end of a body whose stream has said that it is over: the answer is whole without it.
    Body,
    /// The whole request.
    Request(Failure),
}

impl Runner {
    pub(super) fn enforce_limits(&mut self, now: i64) {
        for index in 0..self.connections.len() {
            match self.overdue(&self.connections[index], now) {
                None => {}
                Some(Overdue::Body) => {
                    self.connections[index].exchange.take_as_whole();
                    self.end(index);
                }
                Some(Overdue::Request(failure)) => self.end_with(index, failure),
            }
        }
    }

    /// What has lasted too long on `connection` at `now`.
    fn overdue(&self, connection: &Connection, now: i64) -> Option<Overdue> {
        let sent = connection.sent?;
        let exchange = &connection.exchange;
        let chunks = &exchange.answer.chunks;
        let last_ns = chunks.last().map(|last| last.arrival.ns);
        match connection.phase {
            Phase::Busy
                if exchange.has_said_its_end()
                    && last_ns.is_some_and(|last| now - last > MOST_AFTER_END_NS) =>
            {
                Some(Overdue::Body)
            }
            Phase::Busy if now - sent.sent_ns > self.plan.timeout_ns => {
                let words = format!(
                    "no end of the answer after {} s ({} chunks so far)",
                    seconds(self.plan.timeout_ns),
                    chunks.len()
                );
                Some(Overdue::Request(Failure::new(ErrorKind::Timeout, words)))
            }
            Phase::Connecting | Phase::Handshake
                if now - connection.opening.began_ns > self.plan.connect_timeout_ns =>
            {
                let words = format!(
                    "no connection after {} s",
                    seconds(self.plan.connect_timeout_ns)
                );
                Some(Overdue::Request(Failure::new(ErrorKind::Connect, words)))
            }
            _ => None,
        }
    }
}

fn seconds(ns: i64) -> f64 {
    Duration::from_nanos(u64::try_from(ns).unwrap_or(0)).as_secs_f64()
}
