//! The Python module `polystack_stream`.

mod load;
mod read;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::client::{self, StreamRequest};
use crate::error::StreamError as Failure;
use crate::framing::Framing;
use crate::record;

/// How often the waiting thread looks for signals such as Ctrl-C.
const SIGNAL_PERIOD: Duration = Duration::from_millis(100);
/// A hundred years, which can be added to any stamp.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

create_exception!(
    polystack_stream,
    StreamError,
    PyException,
    "A request gave no record. The root of this module's exceptions."
);
create_exception!(
    polystack_stream,
    ConnectError,
    StreamError,
    "No connection came about."
);
create_exception!(
    polystack_stream,
    RequestTimeoutError,
    StreamError,
    "The answer did not end in time, or did not go on."
);
create_exception!(
    polystack_stream,
    LimitError,
    StreamError,
    "More connections than this process may have."
);
create_exception!(
    polystack_stream,
    ProtocolError,
    StreamError,
    "The answer is not HTTP, broke off, or has an event that is too large."
);

/// One request and its answer. Times are nanoseconds of `CLOCK_MONOTONIC`.
#[pyclass(frozen, get_all, module = "polystack_stream")]
struct StreamRecord {
    status: u16,
    connected_ns: i64,
    requested_ns: i64,
    headers_ns: i64,
    ended_ns: i64,
    events: Py<PyTuple>,
    event_ns: Py<PyTuple>,
    read_index: Py<PyTuple>,
    error_body: Py<PyBytes>,
    location: String,
    retry_after: String,
}

impl StreamRecord {
    fn new(py: Python<'_>, record: &record::StreamRecord) -> PyResult<Self> {
        let events = &record.events;
        Ok(Self {
            status: record.status,
            connected_ns: record.connected_ns,
            requested_ns: record.requested_ns,
            headers_ns: record.headers_ns,
            ended_ns: record.ended_ns,
            events: PyTuple::new(py, events.iter().map(|e| PyBytes::new(py, &e.payload)))?.into(),
            event_ns: PyTuple::new(py, events.iter().map(|e| e.arrival.ns))?.into(),
            read_index: PyTuple::new(py, events.iter().map(|e| e.arrival.read_index))?.into(),
            error_body: PyBytes::new(py, &record.error_body).into(),
            location: record.location.clone(),
            retry_after: record.retry_after.clone(),
        })
    }
}

/// POST `body` to `url` and stamp every event of the answer. See the `.pyi` file.
#[pyfunction]
#[pyo3(signature = (
    url, body, *, framing, timeout_s, stall_timeout_s = 120.0, connect_timeout_s = 5.0,
    headers = None, max_event_bytes = 8_388_608
))]
#[allow(
    clippy::too_many_arguments,
    clippy::needless_pass_by_value,
    reason = "keyword arguments of a Python function, taken over from Python"
)]
fn post_stream(
    py: Python<'_>,
    url: &str,
    body: &[u8],
    framing: &str,
    timeout_s: f64,
    stall_timeout_s: f64,
    connect_timeout_s: f64,
    headers: Option<HashMap<String, String>>,
    max_event_bytes: usize,
) -> PyResult<StreamRecord> {
    let framing = framing_named(framing)?;
    let mut request = StreamRequest::new(url, body.to_vec(), framing).map_err(to_python)?;
    request.timeout = duration("timeout_s", timeout_s)?;
    request.stall_timeout = duration("stall_timeout_s", stall_timeout_s)?;
    request.connect_timeout = duration("connect_timeout_s", connect_timeout_s)?;
    request.max_event_bytes = max_event_bytes;
    for (name, value) in headers.unwrap_or_default() {
        request.set_header(&name, &value);
    }
    let record = wait(py, request)?;
    StreamRecord::new(py, &record)
}

fn framing_named(name: &str) -> PyResult<Framing> {
    match name {
        "ndjson" => Ok(Framing::Ndjson),
        "sse" => Ok(Framing::Sse),
        other => {
            let message = format!("framing: {other:?} is neither 'ndjson' nor 'sse'");
            Err(PyValueError::new_err(message))
        }
    }
}

/// Let a thread of its own send the request; wait for it here, without the GIL.
///
/// The thread that reads must never wait for the GIL, or every other Python thread would
/// be part of the stamps. So the looking for signals, which needs the GIL, is done by
/// another thread than the reading.
fn wait(py: Python<'_>, request: StreamRequest) -> PyResult<record::StreamRecord> {
    let cancel = Arc::new(AtomicBool::new(false));
    let (done, ended) = channel();
    let reader = {
        let cancel = Arc::clone(&cancel);
        thread::spawn(move || {
            // The receiver is gone if a signal came in between: then nobody wants the result.
            let _ = done.send(client::post_stream(&request, &cancel));
        })
    };
    let outcome = receive(py, ended);
    if outcome.is_err() {
        cancel.store(true, Ordering::Release);
    }
    if let Err(panic) = py.detach(|| reader.join()) {
        std::panic::resume_unwind(panic);
    }
    outcome?.map_err(to_python)
}

/// Wait for a message without the GIL; signals are looked for in between.
fn receive<T: Send>(
    py: Python<'_>,
    mut messages: Receiver<Result<T, Failure>>,
) -> PyResult<Result<T, Failure>> {
    loop {
        let (back, outcome) = py.detach(|| {
            let outcome = messages.recv_timeout(SIGNAL_PERIOD);
            (messages, outcome)
        });
        messages = back;
        match outcome {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Disconnected) => return Ok(Err(Failure::Cancelled)),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
        }
    }
}

fn duration(name: &str, seconds: f64) -> PyResult<Duration> {
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && duration <= LONGEST => Ok(duration),
        _ => Err(PyValueError::new_err(format!(
            "{name}: {seconds} is no time to wait"
        ))),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "made for map_err")]
fn to_python(failure: Failure) -> PyErr {
    let message = failure.to_string();
    match failure {
        Failure::InvalidRequest(_) => PyValueError::new_err(message),
        Failure::Limit { .. } => LimitError::new_err(message),
        Failure::Connect { .. } => ConnectError::new_err(message),
        Failure::Timeout { .. } | Failure::Stalled { .. } => RequestTimeoutError::new_err(message),
        Failure::Protocol { .. }
        | Failure::EventTooLarge { .. }
        | Failure::AnswerTooLarge { .. } => ProtocolError::new_err(message),
        Failure::Cancelled => PyKeyboardInterrupt::new_err(message),
    }
}

/// Sends HTTP requests and stamps every event of the answers' streams.
#[pymodule]
mod polystack_stream {
    #[pymodule_export]
    use super::load::{LoadRecord, LoadRun, LoadSnapshot};
    #[pymodule_export]
    use super::read::{read_load, read_stream};
    #[pymodule_export]
    use super::{
        ConnectError, LimitError, ProtocolError, RequestTimeoutError, StreamError, StreamRecord,
        post_stream,
    };
}
