//! How many connections this process may hold.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::error::StreamError;

/// Files besides connections: Python's own, the store, logs, timers.
const OTHER_FILES: u64 = 64;

/// Make sure that `connections` can be open at once; raises the soft limit if it must.
///
/// # Errors
/// The hard limit is too low, too.
pub fn allow_connections(connections: usize) -> Result<(), StreamError> {
    let needed = connections as u64 + OTHER_FILES;
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
