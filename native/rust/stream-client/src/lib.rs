//! One HTTP request, its streamed answer, and a stamp for every event of it.
//!
//! The parts know nothing of each other beyond what is named here:
//!
//! - [`clock`]: the one clock, `CLOCK_MONOTONIC` in nanoseconds;
//! - [`framing`]: bytes in, whole events out (NDJSON, server-sent events); no I/O;
//! - [`transport`]: a TCP stream that notes when it was first written to and last read;
//! - [`client`]: sends the request and ties the other three together;
//! - [`record`]: what is known afterwards, raw, nothing derived;
//! - `python`: the module `polystack_stream`, only with the feature `python`.

pub mod client;
pub mod clock;
pub mod error;
pub mod framing;
pub mod record;
pub mod transport;

#[cfg(feature = "python")]
mod python;
