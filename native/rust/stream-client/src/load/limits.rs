//! How many connections this process may hold.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::StreamError;
use crate::load::plan::Shape;

/// Files besides connections: Python's own, the store, logs, timers.
const OTHER_FILES: u64 = 64;
/// More than there are ports for connections to one server.
const MOST_FILES: u64 = 65_536;

/// How many connections are opened at first, and how many there may be.
///
/// # Errors
/// A closed loop has more users than that.
pub fn allowed_connections(shape: &Shape) -> Result<(usize, usize), StreamError> {
    let wanted = shape.connections();
    match shape {
        Shape::Closed { .. } => {
            allow_connections(wanted)?;
            Ok((wanted, wanted))
        }
        Shape::Open { .. } => {
            let most = most_connections();
            Ok((wanted.min(most), most))
        }
    }
}

/// Make sure that `connections` can be open at once; raises the soft limit if it must.
///
/// # Errors
/// The hard limit is too low, too.
pub fn allow_connections(connections: usize) -> Result<(), StreamError> {
    let needed = (connections as u64).saturating_add(OTHER_FILES);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if limit.maximum.is_some_and(|maximum| maximum < needed) {
        return Err(StreamError::Limit {
            connections,
            allowed: limit.maximum.unwrap_or(0),
            needed,
        });
    }
    let raised = Rlimit {
        current: Some(needed.max(limit.current.unwrap_or(0))),
        ..limit
    };
    setrlimit(Resource::Nofile, raised).map_err(|_| StreamError::Limit {
        connections,
        allowed: limit.current.unwrap_or(0),
        needed,
    })
}

/// How many connections there may be at once, the soft limit raised as far as it goes.
fn most_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit
        .maximum
        .map_or(MOST_FILES, |most| most.min(MOST_FILES));
    if limit.current.is_some_and(|current| current < wanted) {
        let raised = Rlimit {
            current: Some(wanted),
            ..limit
        };
        // If it cannot be raised, fewer will do.
        let _ = setrlimit(Resource::Nofile, raised);
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(MOST_FILES);
    let open = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count) as u64;
    let free = files
        .min(MOST_FILES)
        .saturating_sub(OTHER_FILES.max(open + OTHER_FILES / 2));
    usize::try_from(free).unwrap_or(usize::MAX).max(1)
}
