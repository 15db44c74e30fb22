//! The loop: takes requests, and writes what is due.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token, Waker};
use polystack_stream::clock::{now_ns, thread_cpu_ns};
use polystack_stream::load::timer::Timer;
use rustix::net::sockopt::set_socket_linger;

use super::answer::{Job, Next};
use super::connection::Connection;
use super::{Behaviour, Shared, routes};
use crate::dialect::Dialect;
use crate::fault::Fault;
use crate::incoming::Request;

const LISTENER: Token = Token(usize::MAX);
const TIMER: Token = Token(usize::MAX - 1);
const WAKER: Token = Token(usize::MAX - 2);
/// How often the wish to end is looked at, and the CPU time published.
const ROUND: Duration = Duration::from_millis(100);
const ROUND_NS: i64 = 100_000_000;

/// All connections, and what is due on them.
pub(super) struct EventLoop {
    behaviour: Behaviour,
    shared: Arc<Shared>,
    poll: Poll,
    timer: Timer,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// What is due on which connection for which request, the earliest first.
    due: BinaryHeap<Reverse<(i64, usize, u64)>>,
    /// Requests that wait for a slot: connection and number.
    waiting: VecDeque<(usize, u64)>,
    busy: usize,
    next_number: u64,
    first_request_ns: Option<i64>,
}

impl EventLoop {
    pub(super) fn new(
        mut listener: TcpListener,
        behaviour: Behaviour,
        shared: Arc<Shared>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        let timer = Timer::new(poll.registry(), TIMER)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            behaviour,
            shared,
            poll,
            timer,
            listener,
            connections: Vec::new(),
            free: Vec::new(),
            due: BinaryHeap::new(),
            waiting: VecDeque::new(),
            busy: 0,
            next_number: 0,
            first_request_ns: None,
        })
    }

    /// What wakes the loop from outside.
    pub(super) fn waker(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), WAKER)
    }

    pub(super) fn run(&mut self) {
        let mut events = Events::with_capacity(1024);
        let mut next_round_ns = now_ns();
        while !self.shared.is_stopped.load(Ordering::Acquire) {
            self.write_what_is_due();
            // If the timer cannot be set, the rounds go on, and the lateness tells.
            let _ = self
                .timer
                .set(self.due.peek().map(|Reverse((due, ..))| *due));
            match self.poll.poll(&mut events, Some(ROUND)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
                _ => {}
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept(),
                    TIMER => self.timer.went_off(),
                    WAKER => {}
                    Token(index) => self.on_ready(index),
                }
            }
            let now = now_ns();
            if now >= next_round_ns {
                next_round_ns = now + ROUND_NS;
                self.shared.cpu_ns.store(thread_cpu_ns(), Ordering::Release);
            }
        }
    }

    fn accept(&mut self) {
        while let Ok((mut stream, _)) = self.listener.accept() {
            let index = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            let interest = Interest::READABLE | Interest::WRITABLE;
            let is_ready = stream.set_nodelay(true).is_ok()
                && self
                    .poll
                    .registry()
                    .register(&mut stream, Token(index), interest)
                    .is_ok();
            if is_ready {
                self.connections[index] = Some(Connection::new(stream));
            } else {
                self.free.push(index);
            }
        }
    }

    fn on_ready(&mut self, index: usize) {
        let Some(Some(connection)) = self.connections.get_mut(index) else {
            return;
        };
        connection.flush();
        let is_open = connection.read();
        loop {
            let Some(Some(connection)) = self.connections.get_mut(index) else {
                return;
            };
            if connection.job.is_some() {
                break; // one request after the other
            }
            match connection.next_request() {
                Ok(Some(request)) => self.on_request(index, &request),
                Ok(None) => break,
                Err(reason) => {
                    connection.send(&routes::refusal(400, &reason, ""));
                    return self.drop_connection(index);
                }
            }
        }
        if !is_open {
            self.drop_connection(index);
        }
    }

    fn on_request(&mut self, index: usize, request: &Request) {
        let seen_ns = now_ns();
        let Some(Some(connection)) = self.connections.get_mut(index) else {
            return;
        };
        let is_post = request.method == "POST";
        let Some(dialect) = Dialect::of_path(&request.path).filter(|_| is_post) else {
            let answer = match request.path.as_str() {
                "/truth" => routes::json(200, &crate::truth::as_json(&self.shared.served())),
                _ => routes::plain(request),
            };
            connection.send(&answer);
            return;
        };
        let number = self.next_number;
        self.next_number += 1;
        self.first_request_ns.get_or_insert(seen_ns);
        let fault = self.behaviour.fault_of(number);
        if let Some(answer) = routes::in_place_of_a_stream(request, fault) {
            connection.send(&answer);
            return;
        }
        if fault == Some(Fault::Reset) {
            let _ = set_socket_linger(&connection.stream, Some(Duration::ZERO));
            return self.drop_connection(index);
        }
        let words = self.behaviour.words;
        connection.job = Some(Job::new(dialect, number, seen_ns, request, fault, words));
        self.waiting.push_back((index, number));
        self.begin_waiting();
    }

    fn begin_waiting(&mut self) {
        let slots = self.behaviour.schedule.slots;
        while slots == 0 || self.busy < slots {
            let Some((index, number)) = self.waiting.pop_front() else {
                return;
            };
            let Some(Some(connection)) = self.connections.get_mut(index) else {
                continue;
            };
            if connection.job.as_ref().map(|job| job.number) != Some(number) {
                continue;
            }
            self.busy += 1;
            let due = connection.begin(&self.behaviour.schedule, now_ns());
            self.plan(index, number, due);
        }
    }

    fn plan(&mut self, index: usize, number: u64, due_ns: i64) {
        let first = self.first_request_ns.unwrap_or(due_ns);
        let due_ns = self.behaviour.schedule.stalled(due_ns, first);
        if let Some(Some(connection)) = self.connections.get_mut(index)
            && let Some(answering) = connection.answering()
        {
            answering.due_ns = due_ns;
        }
        self.due.push(Reverse((due_ns, index, number)));
    }

    fn write_what_is_due(&mut self) {
        while let Some(Reverse((due, index, number))) = self.due.peek().copied() {
            if due > now_ns() {
                return;
            }
            self.due.pop();
            let Some(Some(connection)) = self.connections.get_mut(index) else {
                continue;
            };
            if connection.job.as_ref().map(|job| job.number) != Some(number) {
                continue;
            }
            match connection.write_due(&self.behaviour.schedule) {
                Next::Due(due) => self.plan(index, number, due),
                Next::Finished => self.finish(index, false),
                Next::Close => self.finish(index, true),
            }
        }
    }

    /// The answer on this connection is over.
    fn finish(&mut self, index: usize, closes: bool) {
        let Some(Some(connection)) = self.connections.get_mut(index) else {
            return;
        };
        if let Some(job) = connection.job.take() {
            self.busy -= usize::from(job.has_begun());
            let ending = job.ending();
            self.shared.served().push(job.into_served());
            // Last, so that whoever has seen the end finds the truth of the whole answer.
            if !closes {
                connection.send(&ending);
            }
        }
        if closes {
            self.drop_connection(index);
        }
        self.begin_waiting();
    }

    fn drop_connection(&mut self, index: usize) {
        if let Some(place) = self.connections.get_mut(index)
            && let Some(mut connection) = place.take()
        {
            // The file's number may come again at once: no event of the old one may be left.
            let _ = self.poll.registry().deregister(&mut connection.stream);
            self.free.push(index);
            if let Some(job) = connection.job.take() {
                self.busy -= usize::from(job.has_begun());
                self.begin_waiting();
            }
        }
    }
}
