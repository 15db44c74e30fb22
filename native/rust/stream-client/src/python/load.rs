//! `LoadRun` and what it gives out.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::{SIGNAL_PERIOD, duration, receive, to_python};
use crate::dialect::{DIALECTS, Dialect};
use crate::http::Target;
use crate::load::{Columns, LoadHandle, Plan, Shape, Snapshot, start};

const NS_PER_S: f64 = 1e9;

/// Many requests to one server. See the `.pyi` file.
#[pyclass(frozen, module = "polystack_stream")]
pub struct LoadRun {
    handle: LoadHandle,
}

#[pymethods]
impl LoadRun {
    #[new]
    #[pyo3(signature = (
        url, bodies, *, dialect, users = None, starts_ns = None, arrivals_ns = None,
        connections = None, requests = None, duration_s = None, timeout_s = 600.0,
        connect_timeout_s = 5.0, headers = None, max_event_bytes = 8_388_608,
        keep_text = false, request_id_header = None, ca_file = None
    ))]
    #[allow(
        clippy::too_many_arguments,
        clippy::needless_pass_by_value,
        reason = "keyword arguments of a Python class, taken over from Python"
    )]
    fn new(
        py: Python<'_>,
        url: &str,
        bodies: Vec<Vec<u8>>,
        dialect: &str,
        users: Option<usize>,
        starts_ns: Option<Vec<u8>>,
        arrivals_ns: Option<Vec<u8>>,
        connections: Option<usize>,
        requests: Option<u64>,
        duration_s: Option<f64>,
        timeout_s: f64,
        connect_timeout_s: f64,
        headers: Option<HashMap<String, String>>,
        max_event_bytes: usize,
        keep_text: bool,
        request_id_header: Option<String>,
        ca_file: Option<String>,
    ) -> PyResult<Self> {
        let plan = Plan {
            target: Target::parse(url).map_err(to_python)?,
            bodies,
            dialect: dialect_named(dialect)?,
            shape: shape(
                users,
                starts_ns,
                arrivals_ns,
                connections,
                requests,
                duration_s,
            )?,
            timeout_ns: nanoseconds("timeout_s", timeout_s)?,
            connect_timeout_ns: nanoseconds("connect_timeout_s", connect_timeout_s)?,
            headers: headers.unwrap_or_default().into_iter().collect(),
            id_header: request_id_header,
            max_event_bytes,
            keeps_text: keep_text,
            ca_file,
        };
        let handle = receive(py, start(plan))?.map_err(to_python)?;
        Ok(Self { handle })
    }

    fn snapshot(&self) -> LoadSnapshot {
        LoadSnapshot(*self.handle.shared().snapshot())
    }

    fn take(&self, py: Python<'_>) -> PyResult<LoadRecord> {
        let columns = std::mem::take(&mut *self.handle.shared().columns());
        LoadRecord::new(py, &columns)
    }

    fn wait(&self, py: Python<'_>, timeout_s: f64) -> PyResult<bool> {
        let mut left = Duration::try_from_secs_f64(timeout_s)
            .map_err(|_| PyValueError::new_err(format!("timeout_s: {timeout_s} is no time")))?;
        loop {
            let part = left.min(SIGNAL_PERIOD);
            if py.detach(|| self.handle.wait(part)) {
                return Ok(true);
            }
            py.check_signals()?;
            left -= part;
            if left.is_zero() {
                return Ok(false);
            }
        }
    }

    fn cancel(&self) {
        self.handle.cancel();
    }

    #[getter]
    fn started_ns(&self) -> i64 {
        self.handle.shared().started_ns.load(Ordering::Acquire)
    }

    #[getter]
    fn ended_ns(&self) -> i64 {
        self.handle.shared().ended_ns.load(Ordering::Acquire)
    }

    #[getter]
    fn cpu_ns(&self) -> i64 {
        self.handle.shared().cpu_ns.load(Ordering::Acquire)
    }
}

/// How a load stands. See the `.pyi` file.
#[pyclass(frozen, module = "polystack_stream")]
pub struct LoadSnapshot(Snapshot);

#[pymethods]
impl LoadSnapshot {
    #[getter]
    fn elapsed_ns(&self) -> i64 {
        self.0.elapsed_ns
    }

    #[getter]
    fn in_flight(&self) -> u64 {
        self.0.in_flight
    }

    #[getter]
    fn finished(&self) -> u64 {
        self.0.finished
    }

    #[getter]
    fn failed(&self) -> u64 {
        self.0.failed
    }

    #[getter]
    fn events(&self) -> u64 {
        self.0.events
    }

    #[getter]
    fn output_tokens(&self) -> u64 {
        self.0.output_tokens
    }

    #[getter]
    fn ttft_ns(&self) -> (u64, u64, u64) {
        self.0.ttft_ns.into()
    }

    #[getter]
    fn itl_ns(&self) -> (u64, u64, u64) {
        self.0.itl_ns.into()
    }
}

/// Requests that have ended, in columns. See the `.pyi` file.
#[pyclass(frozen, get_all, module = "polystack_stream")]
pub struct LoadRecord {
    number: Py<PyBytes>,
    user: Py<PyBytes>,
    scheduled_ns: Py<PyBytes>,
    sent_ns: Py<PyBytes>,
    connect_ns: Py<PyBytes>,
    tls_ns: Py<PyBytes>,
    headers_ns: Py<PyBytes>,
    ended_ns: Py<PyBytes>,
    status: Py<PyBytes>,
    prompt_tokens: Py<PyBytes>,
    output_tokens: Py<PyBytes>,
    chunk_offsets: Py<PyBytes>,
    chunk_ns: Py<PyBytes>,
    chunk_tokens: Py<PyBytes>,
    chunk_reads: Py<PyBytes>,
    chunk_is_reasoning: Py<PyBytes>,
    error_kind: Py<PyTuple>,
    error: Py<PyTuple>,
    stop: Py<PyTuple>,
    text: Py<PyTuple>,
    r#final: Py<PyTuple>,
}

impl LoadRecord {
    pub(super) fn new(py: Python<'_>, columns: &Columns) -> PyResult<Self> {
        let long = |values: &[i64]| bytes(py, values, i64::to_le_bytes);
        let short = |values: &[i32]| bytes(py, values, i32::to_le_bytes);
        let offsets: Vec<i64> = std::iter::once(0)
            .chain(columns.chunk_ends.clone())
            .collect();
        let figures = columns
            .figures
            .iter()
            .map(|payload| PyBytes::new(py, payload));
        Ok(Self {
            number: long(&columns.number),
            user: short(&columns.user),
            scheduled_ns: long(&columns.scheduled_ns),
            sent_ns: long(&columns.sent_ns),
            connect_ns: long(&columns.connect_ns),
            tls_ns: long(&columns.tls_ns),
            headers_ns: long(&columns.headers_ns),
            ended_ns: long(&columns.ended_ns),
            status: short(&columns.status),
            prompt_tokens: short(&columns.prompt_tokens),
            output_tokens: short(&columns.output_tokens),
            chunk_offsets: long(&offsets),
            chunk_ns: long(&columns.chunk_ns),
            chunk_tokens: short(&columns.chunk_tokens),
            chunk_reads: short(&columns.chunk_reads),
            chunk_is_reasoning: PyBytes::new(py, &columns.chunk_is_reasoning).into(),
            error_kind: PyTuple::new(py, &columns.error_kind)?.into(),
            error: PyTuple::new(py, &columns.error)?.into(),
            stop: PyTuple::new(py, &columns.stop)?.into(),
            text: PyTuple::new(py, &columns.text)?.into(),
            r#final: PyTuple::new(py, figures)?.into(),
        })
    }
}

fn bytes<T: Copy, const N: usize>(
    py: Python<'_>,
    values: &[T],
    encode: impl Fn(T) -> [u8; N],
) -> Py<PyBytes> {
    let encoded: Vec<u8> = values.iter().flat_map(|value| encode(*value)).collect();
    PyBytes::new(py, &encoded).into()
}

pub(super) fn dialect_named(name: &str) -> PyResult<Dialect> {
    Dialect::named(name).ok_or_else(|| {
        let known = DIALECTS.map(|(known, _)| known).join(", ");
        PyValueError::new_err(format!("dialect: {name:?} is none of {known}"))
    })
}

fn shape(
    users: Option<usize>,
    starts_ns: Option<Vec<u8>>,
    arrivals_ns: Option<Vec<u8>>,
    connections: Option<usize>,
    requests: Option<u64>,
    duration_s: Option<f64>,
) -> PyResult<Shape> {
    match (users, arrivals_ns) {
        (Some(users), None) => {
            let starts_ns = match starts_ns {
                None => vec![0; users],
                Some(given) => integers("starts_ns", &given)?,
            };
            if starts_ns.len() != users {
                let message = format!("starts_ns: {} of them for {users} users", starts_ns.len());
                return Err(PyValueError::new_err(message));
            }
            let lasts_ns = duration_s
                .map(|time| nanoseconds("duration_s", time))
                .transpose()?;
            Ok(Shape::Closed {
                starts_ns,
                requests,
                duration_ns: lasts_ns,
            })
        }
        (None, Some(arrivals)) => Ok(Shape::Open {
            arrivals_ns: integers("arrivals_ns", &arrivals)?,
            connections: connections.unwrap_or(1),
        }),
        _ => Err(PyValueError::new_err("give either users or arrivals_ns")),
    }
}

fn integers(name: &str, given: &[u8]) -> PyResult<Vec<i64>> {
    let (numbers, rest) = given.as_chunks::<8>();
    if !rest.is_empty() {
        let message = format!("{name}: {} bytes are no 64-bit integers", given.len());
        return Err(PyValueError::new_err(message));
    }
    Ok(numbers
        .iter()
        .map(|number| i64::from_le_bytes(*number))
        .collect())
}

#[allow(clippy::cast_possible_truncation, reason = "292 years are enough")]
fn nanoseconds(name: &str, seconds: f64) -> PyResult<i64> {
    duration(name, seconds).map(|time| (time.as_secs_f64() * NS_PER_S) as i64)
}
