//! What is known after a request: raw stamps and bytes, nothing derived.

/// The socket read that completed an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Number of the read on this connection, from 1. Events with the same number came in
    /// one read: the gap of 0 between them is not a measurement.
    pub read_index: u32,
    /// `CLOCK_MONOTONIC` in nanoseconds, taken as the read returned.
    pub ns: i64,
}

/// One event of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The event's bytes, without its framing.
    pub payload: Vec<u8>,
    /// When its last byte came.
    pub arrival: Arrival,
}

/// One request and its answer. All times: `CLOCK_MONOTONIC` in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRecord {
    /// HTTP status.
    pub status: u16,
    /// The connection stood.
    pub connected_ns: i64,
    /// Just before the first byte of the request was written on the open connection.
    pub requested_ns: i64,
    /// The read that completed the head of the answer.
    pub headers_ns: i64,
    /// The stream's events in their order; empty if the status is not 2xx.
    pub events: Vec<Event>,
    /// The end of the answer was seen.
    pub ended_ns: i64,
    /// The first bytes of the answer if the status is not 2xx or no event came, else empty.
    pub error_body: Vec<u8>,
    /// `Location`, empty if there is none.
    pub location: String,
    /// `Retry-After`, empty if there is none.
    pub retry_after: String,
}
