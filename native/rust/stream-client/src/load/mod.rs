//! Many requests to one server, sent and stamped by one thread.
//!
//! - [`plan`]: what is asked for;
//! - [`exchange`]: one request and its answer, no I/O;
//! - [`socket`], [`connection`]: bytes from and to the network;
//! - [`runner`]: the one loop, over `epoll`;
//! - [`columns`], [`live`]: what is kept, and what is shown meanwhile.

pub mod columns;
pub mod connection;
pub mod exchange;
pub mod limits;
pub mod live;
pub mod plan;
pub mod runner;
pub mod shared;
pub mod socket;
pub mod timer;

pub use columns::Columns;
pub use live::Snapshot;
pub use plan::{Plan, Shape};
pub use shared::{LoadHandle, start};
