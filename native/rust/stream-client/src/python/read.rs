//! What both readers make of bytes that are there already.

use pyo3::prelude::*;

use super::load::{LoadRecord, dialect_named};
use super::{StreamRecord, framing_named, to_python};
use crate::client;
use crate::load::Columns;
use crate::load::columns::Sent;
use crate::load::exchange;

/// What `post_stream` makes of an answer. See the `.pyi` file.
#[pyfunction]
#[pyo3(signature = (pieces, *, framing, max_event_bytes = 8_388_608))]
#[allow(
    clippy::needless_pass_by_value,
    reason = "an argument of a Python function, taken over from Python"
)]
pub fn read_stream(
    py: Python<'_>,
    pieces: Vec<Vec<u8>>,
    framing: &str,
    max_event_bytes: usize,
) -> PyResult<StreamRecord> {
    let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
    let framing = framing_named(framing)?;
    let record = client::read_stream(&pieces, framing, max_event_bytes).map_err(to_python)?;
    StreamRecord::new(py, &record)
}

/// What a load makes of an answer. See the `.pyi` file.
#[pyfunction]
#[pyo3(signature = (pieces, *, dialect, max_event_bytes = 8_388_608))]
#[allow(
    clippy::needless_pass_by_value,
    reason = "an argument of a Python function, taken over from Python"
)]
pub fn read_load(
    py: Python<'_>,
    pieces: Vec<Vec<u8>>,
    dialect: &str,
    max_event_bytes: usize,
) -> PyResult<LoadRecord> {
    let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
    let exchange = exchange::read_load(&pieces, dialect_named(dialect)?, max_event_bytes);
    let mut columns = Columns::default();
    let sent = Sent {
        sent_ns: 1,
        scheduled_ns: 1,
        ..Sent::default()
    };
    columns.push(
        &sent,
        &exchange,
        i64::try_from(pieces.len()).unwrap_or(0) + 1,
    );
    LoadRecord::new(py, &columns)
}
