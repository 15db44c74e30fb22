//! A server whose truth is known: it says when each event is due, and stamps it just before it
//! is written. Clients are measured against it, and it stands in for servers in tests.
//!
//! - [`delay`], [`schedule`]: what is due when;
//! - [`incoming`]: requests, from the bytes as they come;
//! - [`dialect`]: the bytes of events, as real servers send them;
//! - [`fault`]: what a server can do wrong;
//! - [`truth`]: what is given out;
//! - [`server`]: the loop.

pub mod delay;
pub mod dialect;
pub mod fault;
pub mod incoming;
pub mod schedule;
pub mod server;
pub mod truth;

#[cfg(feature = "python")]
mod python;
