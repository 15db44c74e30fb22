//! HTTP requests, their streamed answers, and a stamp for every event of them.
//!
//! The parts know nothing of each other beyond what is named here:
//!
//! - [`clock`]: the one clock, `CLOCK_MONOTONIC` in nanoseconds;
//! - [`http`]: bytes of a request, bytes of an answer; no I/O;
//! - [`framing`]: bytes in, whole events out (NDJSON, server-sent events); no I/O;
//! - [`dialect`]: what an event means in each server's protocol; no I/O;
//! - [`client`], [`record`]: one request, every event kept as it came;
//! - [`load`]: many requests at once, from one thread;
//! - `python`: the module `polystack_stream`, only with the feature `python`.

pub mod client;
pub mod clock;
pub mod dialect;
pub mod error;
pub mod framing;
pub mod http;
pub mod load;
pub mod record;

#[cfg(feature = "python")]
mod python;
