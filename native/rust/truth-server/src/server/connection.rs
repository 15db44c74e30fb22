//! One connection: bytes in, bytes out, and the answer that is under way.

use std::io::{ErrorKind, Read, Write};

use mio::net::TcpStream;
use polystack_stream::clock::now_ns;

use super::answer::{Job, Next};
use crate::incoming::{Request, take_request};
use crate::schedule::{Answering, Schedule};

const BUFFER_BYTES: usize = 16 << 10;

pub struct Connection {
    pub stream: TcpStream,
    /// Bytes of a request that is not whole.
    held: Vec<u8>,
    /// Bytes that the other side did not take yet.
    unsent: Vec<u8>,
    /// Events that wait to be written together.
    batch: Vec<u8>,
    pub job: Option<Job>,
}

impl Connection {
    pub fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            held: Vec::new(),
            unsent: Vec::new(),
            batch: Vec::new(),
            job: None,
        }
    }

    /// Read all there is. False: the other side has closed.
    pub fn read(&mut self) -> bool {
        let mut buffer = [0; BUFFER_BYTES];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(count) => self.held.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
    }

    pub fn next_request(&mut self) -> Result<Option<Request>, String> {
        if self.held.is_empty() {
            Ok(None)
        } else {
            take_request(&mut self.held)
        }
    }

    /// Write, or keep what does not go now.
    pub fn send(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while self.unsent.is_empty() && !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return, // it is gone, and its reader will say so
            }
        }
        self.unsent.extend_from_slice(rest);
    }

    /// Go on with what did not go before.
    pub fn flush(&mut self) {
        if !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            self.send(&unsent);
        }
    }

    /// The request has its slot: send the head. Returns when the first event is due.
    pub fn begin(&mut self, schedule: &Schedule, now_ns: i64) -> i64 {
        let Some(job) = &mut self.job else {
            return now_ns;
        };
        let due = job.begin(schedule, now_ns);
        let head = job.head();
        self.send(&head);
        due
    }

    pub fn answering(&mut self) -> Option<&mut Answering> {
        self.job.as_mut().and_then(|job| job.answering.as_mut())
    }

    /// An event is due: write it, or keep it for a write with others.
    pub fn write_due(&mut self, schedule: &Schedule) -> Next {
        let Some(mut job) = self.job.take() else {
            return Next::Finished;
        };
        let next = job.add_event(schedule, &mut self.batch);
        if job.is_batch_full(schedule) || !matches!(next, Next::Due(_)) {
            let batch = std::mem::take(&mut self.batch);
            job.stamp(now_ns());
            self.send(&batch);
            self.batch = batch;
            self.batch.clear();
        }
        self.job = Some(job);
        next
    }
}
