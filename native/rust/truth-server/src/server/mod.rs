//! A server on a thread of its own, and what its owner may ask it meanwhile.
//!
//! - `event_loop`: takes requests, and writes what is due;
//! - `connection`, `answer`: one connection, and the answer that is under way on it;
//! - `routes`: answers that are no streams.

mod answer;
mod connection;
mod event_loop;
mod routes;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use mio::Waker;
use mio::net::TcpListener;

use self::event_loop::EventLoop;
use crate::dialect::Words;
use crate::fault::Fault;
use crate::schedule::Schedule;
use crate::truth::Served;

/// How a server behaves.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// In time.
    pub schedule: Schedule,
    /// What it does wrong, if anything.
    pub fault: Option<Fault>,
    /// To every so many requests.
    pub fault_every: u64,
    /// What stands for its tokens.
    pub words: Words,
}

impl Behaviour {
    /// What goes wrong with the answer to request `number`.
    fn fault_of(&self, number: u64) -> Option<Fault> {
        let is_faulty = (number + 1).is_multiple_of(self.fault_every.max(1));
        self.fault.filter(|_| is_faulty)
    }
}

/// What the server's thread and its owner share.
#[derive(Default)]
struct Shared {
    served: Mutex<Vec<Served>>,
    is_stopped: AtomicBool,
    cpu_ns: AtomicI64,
}

impl Shared {
    fn served(&self) -> MutexGuard<'_, Vec<Served>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server that runs on a thread of its own.
pub struct Handle {
    port: u16,
    shared: Arc<Shared>,
    waker: Waker,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Handle {
    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The requests that have been answered so far, in the order of their ends.
    pub fn served(&self) -> MutexGuard<'_, Vec<Served>> {
        self.shared.served()
    }

    /// The same, which are forgotten here.
    #[must_use]
    pub fn take(&self) -> Vec<Served> {
        std::mem::take(&mut *self.served())
    }

    /// CPU time of its thread, a tenth of a second old at most.
    #[must_use]
    pub fn cpu_ns(&self) -> i64 {
        self.shared.cpu_ns.load(Ordering::Acquire)
    }

    /// End it; open connections are closed.
    pub fn stop(&self) {
        self.shared.is_stopped.store(true, Ordering::Release);
        let _ = self.waker.wake();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Start a server on `port` of 127.0.0.1; 0: a free one.
///
/// # Errors
/// The port is taken.
pub fn start(port: u16, behaviour: Behaviour) -> io::Result<Handle> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
    let port = listener.local_addr()?.port();
    let shared = Arc::new(Shared::default());
    let mut server = EventLoop::new(listener, behaviour, Arc::clone(&shared))?;
    let waker = server.waker()?;
    let thread = thread::spawn(move || server.run());
    Ok(Handle {
        port,
        shared,
        waker,
        thread: Mutex::new(Some(thread)),
    })
}
