//! `LoadRun`, and how a load stands while it runs.

mod arguments;
mod record;

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

pub(super) use self::arguments::dialect_named;
use self::arguments::{nanoseconds, shape};
pub use self::record::LoadRecord;
use super::{SIGNAL_PERIOD, receive, to_python};
use crate::http::Target;
use crate::load::{LoadHandle, Plan, Snapshot, start};

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
