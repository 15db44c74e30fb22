//! What is to be sent next, when, and on which connection; whether anything is.

use crate::clock::now_ns;
use crate::load::connection::Connection;
use crate::load::plan::Shape;
use crate::load::runner::Runner;

impl Runner {
    pub(super) fn send_what_is_due(&mut self) {
        let elapsed = now_ns() - self.started_ns;
        while let Some((start, user)) = self.not_begun.last().copied() {
            if start > elapsed {
                break;
            }
            self.not_begun.pop();
            self.next_of_user(user);
        }
        if !matches!(self.plan.shape, Shape::Open { .. }) {
            return;
        }
        while let Some(arrival) = self
            .arrival(self.next_arrival)
            .filter(|due| *due <= elapsed)
        {
            let Some(index) = self.free_connection() else {
                return; // one that is over makes room
            };
            self.next_arrival += 1;
            self.begin(index, self.started_ns + arrival);
        }
    }

    pub(super) fn arrival(&self, index: usize) -> Option<i64> {
        match &self.plan.shape {
            Shape::Open { arrivals_ns, .. } => arrivals_ns.get(index).copied(),
            Shape::Closed { .. } => None,
        }
    }

    pub(super) fn next_due_ns(&self) -> Option<i64> {
        let start = self.not_begun.last().map(|(start, _)| *start);
        let is_full = self.idle.is_empty() && self.connections.len() >= self.most;
        start
            .or_else(|| self.arrival(self.next_arrival).filter(|_| !is_full))
            .map(|due| due + self.started_ns)
    }

    pub(super) fn is_over(&self) -> bool {
        self.in_flight == 0
            && match &self.plan.shape {
                Shape::Closed { .. } => self.not_begun.is_empty() || !self.may_send(),
                Shape::Open { arrivals_ns, .. } => self.next_arrival == arrivals_ns.len(),
            }
    }

    /// Closed loop: whether another request may be sent.
    fn may_send(&self) -> bool {
        match &self.plan.shape {
            Shape::Closed {
                requests,
                duration_ns,
                ..
            } => {
                requests.is_none_or(|most| self.next_number < most)
                    && duration_ns.is_none_or(|time| now_ns() - self.started_ns < time)
            }
            Shape::Open { .. } => true,
        }
    }

    pub(super) fn next_of_user(&mut self, user: usize) {
        if self.may_send() {
            self.begin(user, 0);
        }
    }

    /// Open loop: a connection for a request that is due, a new one if all are busy; None: there
    /// can be no more of them.
    fn free_connection(&mut self) -> Option<usize> {
        self.idle.pop().or_else(|| {
            if self.connections.len() >= self.most {
                return None;
            }
            let exchange = self.exchange();
            self.connections.push(Connection::new(exchange));
            Some(self.connections.len() - 1)
        })
    }
}
