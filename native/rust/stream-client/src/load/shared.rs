//! A load on a thread of its own, and what others may know of it meanwhile.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::error::StreamError;
use crate::load::columns::Columns;
use crate::load::live::Snapshot;
use crate::load::plan::Plan;
use crate::load::runner::Runner;

/// What the thread of a load and its owner share.
#[derive(Default)]
pub struct Shared {
    columns: Mutex<Columns>,
    snapshot: Mutex<Snapshot>,
    is_done: Mutex<bool>,
    ended: Condvar,
    /// Whether it is to end at once.
    pub is_cancelled: AtomicBool,
    /// The clock started; 0 before.
    pub started_ns: AtomicI64,
    /// The last request ended; 0 before.
    pub ended_ns: AtomicI64,
    /// CPU time of the thread since the clock started.
    pub cpu_ns: AtomicI64,
}

impl Shared {
    /// Requests that have ended and were not taken yet.
    pub fn columns(&self) -> MutexGuard<'_, Columns> {
        self.columns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the load stands.
    pub fn snapshot(&self) -> MutexGuard<'_, Snapshot> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self) {
        *self.is_done.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ended.notify_all();
    }
}

/// Tells the end also where the thread panics.
struct TellsTheEnd(Arc<Shared>);

impl Drop for TellsTheEnd {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// A load that runs.
pub struct LoadHandle {
    shared: Arc<Shared>,
    waker: Arc<mio::Waker>,
}

impl LoadHandle {
    /// What can be known of it.
    #[must_use]
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Wait for its end, at most so long. True: it has ended.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> bool {
        let done = self
            .shared
            .is_done
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (done, _) = self
            .shared
            .ended
            .wait_timeout_while(done, limit, |done| !*done)
            .unwrap_or_else(PoisonError::into_inner);
        *done
    }

    /// End it now; requests under way are recorded as cancelled.
    pub fn cancel(&self) {
        self.shared.is_cancelled.store(true, Ordering::Release);
        // If it cannot be woken it looks by itself, soon.
        let _ = self.waker.wake();
    }
}

impl Drop for LoadHandle {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// What comes of opening the connections.
pub type Started = Result<LoadHandle, StreamError>;

/// Open the connections of `plan`, start the clock and the load, on a thread of its own.
///
/// The receiver gets one message when the connections stand, or why they do not.
#[must_use]
pub fn start(plan: Plan) -> Receiver<Started> {
    let (told, ready) = channel();
    thread::spawn(move || {
        let shared = Arc::new(Shared::default());
        let _tells = TellsTheEnd(Arc::clone(&shared));
        match Runner::open(plan, Arc::clone(&shared)) {
            Err(error) => {
                let _ = told.send(Err(error));
            }
            Ok(mut runner) => {
                let waker = runner.waker();
                runner.start_clock();
                // Nobody waits any more: the handle's end cancels the load.
                let _ = told.send(Ok(LoadHandle { shared, waker }));
                runner.run();
            }
        }
    });
    ready
}
