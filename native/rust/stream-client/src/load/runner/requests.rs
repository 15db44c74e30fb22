//! One request after the other: what begins it, what ends it.

use std::sync::atomic::Ordering;

use crate::clock::now_ns;
use crate::load::columns::Sent;
use crate::load::connection::Phase;
use crate::load::failure::Failure;
use crate::load::plan::Shape;
use crate::load::runner::Runner;

const PAUSE_AFTER_FAILURE_NS: i64 = 100_000_000;

impl Runner {
    /// Begin the next request on this connection; `scheduled_ns` 0: it is due when it is sent.
    pub(super) fn begin(&mut self, index: usize, scheduled_ns: i64) {
        let connection = &mut self.connections[index];
        let number = self.next_number;
        self.next_number += 1;
        self.in_flight += 1;
        connection.sent = Some(Sent {
            number: i64::try_from(number).unwrap_or(i64::MAX),
            user: i32::try_from(index).unwrap_or(i32::MAX),
            scheduled_ns,
            ..Sent::default()
        });
        let body = usize::try_from(number).unwrap_or(0) % self.plan.bodies.len();
        self.template
            .write(number, &self.plan.bodies[body], &mut connection.out);
        self.dispatch(index);
    }

    /// Send the waiting request, over a new connection if there is none.
    pub(super) fn dispatch(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        connection.exchange.reset();
        connection.written = 0;
        if connection.phase == Phase::Idle {
            self.send(index);
        } else if let Err(error) = self.begin_opening(index) {
            self.end_with(index, Failure::to_connect(&error));
        }
    }

    pub(super) fn send(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        connection.phase = Phase::Busy;
        connection.carried += 1;
        if let Some(sent) = &mut connection.sent {
            sent.sent_ns = now_ns();
            if sent.scheduled_ns == 0 {
                sent.scheduled_ns = sent.sent_ns;
            }
        }
        self.write(index);
    }

    pub(super) fn write(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        let Some(socket) = &mut connection.socket else {
            return;
        };
        if connection.written == connection.out.len() {
            return;
        }
        // An error shows again when the answer is read, after what the server had to say.
        let _ = socket.write(&connection.out, &mut connection.written);
    }

    /// The request of this connection is over: keep it, and go on with the next.
    pub(super) fn end(&mut self, index: usize) {
        if !self.keep(index) {
            return;
        }
        let connection = &mut self.connections[index];
        let is_reusable = connection.exchange.is_kept_alive() && !connection.is_closing;
        if connection.phase == Phase::Busy && is_reusable {
            connection.phase = Phase::Idle;
        } else {
            connection.close();
        }
        let has_failed = connection.exchange.answer.failure.is_some();
        match self.plan.shape {
            Shape::Closed { .. } if has_failed => self.pause(index),
            Shape::Closed { .. } => self.next_of_user(index),
            Shape::Open { .. } => self.idle.push(index),
        }
    }

    /// The request is over without a whole answer.
    pub(super) fn end_with(&mut self, index: usize, failure: Failure) {
        let connection = &mut self.connections[index];
        connection.exchange.fail(failure);
        connection.close();
        self.end(index);
    }

    /// A user whose request failed waits a little: a server that refuses must not be asked a
    /// hundred thousand times a second.
    fn pause(&mut self, user: usize) {
        let start = now_ns() - self.started_ns + PAUSE_AFTER_FAILURE_NS;
        let place = self.not_begun.partition_point(|(other, _)| *other > start);
        self.not_begun.insert(place, (start, user));
    }

    pub(super) fn fail_all(&mut self, failure: &Failure) {
        self.shared.is_cancelled.store(true, Ordering::Release);
        for index in 0..self.connections.len() {
            if self.connections[index].sent.is_some() {
                self.end_with(index, failure.clone());
            }
        }
    }

    /// Open loop: requests that were due and had no connection are over, too: left out, the
    /// longest waits would be missing.
    pub(super) fn fail_what_waits(&mut self, failure: &Failure) {
        let elapsed = now_ns() - self.started_ns;
        while let Some(arrival) = self
            .arrival(self.next_arrival)
            .filter(|due| *due <= elapsed)
        {
            self.next_arrival += 1;
            self.keep_unsent(self.started_ns + arrival, failure);
        }
    }

    /// Keep a request that was due then and never sent.
    fn keep_unsent(&mut self, scheduled_ns: i64, failure: &Failure) {
        let mut exchange = self.exchange();
        exchange.fail(failure.clone());
        let sent = Sent {
            number: i64::try_from(self.next_number).unwrap_or(i64::MAX),
            user: -1,
            scheduled_ns,
            ..Sent::default()
        };
        self.next_number += 1;
        self.live.ended(&exchange.answer);
        self.shared.columns().push(&sent, &exchange, now_ns());
    }

    /// Keep the request that was under way. False: there was none.
    fn keep(&mut self, index: usize) -> bool {
        let connection = &mut self.connections[index];
        let Some(sent) = connection.sent.take() else {
            return false;
        };
        self.in_flight -= 1;
        self.live.ended(&connection.exchange.answer);
        self.shared
            .columns()
            .push(&sent, &connection.exchange, now_ns());
        true
    }
}
