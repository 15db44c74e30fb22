//! The Python module `polystack_truth`.

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::delay::{Delay, duration_ns, whole};
use crate::dialect::Words;
use crate::fault::Fault;
use crate::schedule::Schedule;
use crate::server::{Behaviour, Handle, start};
use crate::truth::{Served, lateness};

/// A server whose schedule is known. See the `.pyi` file.
#[pyclass(frozen, module = "polystack_truth")]
struct TruthServer {
    handle: Handle,
}

#[pymethods]
impl TruthServer {
    #[new]
    #[pyo3(signature = (
        *, port = 0, ttft = "50ms", itl = "10ms", tokens = 100, tokens_per_chunk = 1,
        chunks_per_write = 1, slow_every = 0, slow_extra = "0ms", slots = 0,
        stall_after = "0ms", stall_for = "0ms", seed = 0, fault = "", fault_every = 1,
        numbered = false
    ))]
    #[allow(
        clippy::too_many_arguments,
        reason = "keyword arguments of a Python class"
    )]
    fn new(
        port: u16,
        ttft: &str,
        itl: &str,
        tokens: u32,
        tokens_per_chunk: u32,
        chunks_per_write: u32,
        slow_every: u32,
        slow_extra: &str,
        slots: usize,
        stall_after: &str,
        stall_for: &str,
        seed: u64,
        fault: &str,
        fault_every: u64,
        numbered: bool,
    ) -> PyResult<Self> {
        for (name, value) in [
            ("tokens", u64::from(tokens)),
            ("tokens_per_chunk", u64::from(tokens_per_chunk)),
            ("chunks_per_write", u64::from(chunks_per_write)),
            ("fault_every", fault_every),
        ] {
            if value == 0 {
                return Err(PyValueError::new_err(format!("{name} must be at least 1")));
            }
        }
        let behaviour = Behaviour {
            schedule: Schedule {
                ttft: delay("ttft", ttft)?,
                itl: delay("itl", itl)?,
                tokens,
                tokens_per_chunk,
                chunks_per_write,
                slow_every,
                slow_extra_ns: fixed("slow_extra", slow_extra)?,
                slots,
                stall_after_ns: fixed("stall_after", stall_after)?,
                stall_for_ns: fixed("stall_for", stall_for)?,
                seed,
            },
            fault: Fault::named(fault).map_err(PyValueError::new_err)?,
            fault_every,
            words: if numbered {
                Words::Numbered
            } else {
                Words::InTurn
            },
        };
        let handle = start(port, behaviour).map_err(|error| {
            PyOSError::new_err(format!("port {port} of 127.0.0.1 cannot be had: {error}"))
        })?;
        Ok(Self { handle })
    }

    #[getter]
    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.handle.port())
    }

    fn truth(&self, py: Python<'_>) -> PyResult<Truth> {
        Truth::new(py, &self.handle.served())
    }

    fn take(&self, py: Python<'_>) -> PyResult<Truth> {
        Truth::new(py, &self.handle.take())
    }

    fn clear(&self) {
        self.handle.served().clear();
    }

    /// p50, p99 and the worst of written - due.
    #[getter]
    fn lateness_ns(&self) -> (u64, u64, u64) {
        let late = lateness(&self.handle.served());
        (late.p50_ns, late.p99_ns, late.max_ns)
    }

    #[getter]
    fn cpu_ns(&self) -> i64 {
        self.handle.cpu_ns()
    }

    fn stop(&self, py: Python<'_>) {
        py.detach(|| self.handle.stop());
    }
}

/// What really happened. See the `.pyi` file.
#[pyclass(frozen, get_all, module = "polystack_truth")]
struct Truth {
    request_id: Py<PyTuple>,
    seen_ns: Py<PyBytes>,
    offsets: Py<PyBytes>,
    due_ns: Py<PyBytes>,
    written_ns: Py<PyBytes>,
    tokens: Py<PyBytes>,
}

impl Truth {
    fn new(py: Python<'_>, served: &[Served]) -> PyResult<Self> {
        let mut offsets = vec![0_i64];
        for request in served {
            let end =
                offsets.last().unwrap_or(&0) + i64::try_from(request.due_ns.len()).unwrap_or(0);
            offsets.push(end);
        }
        let long = |values: &mut dyn Iterator<Item = i64>| {
            let bytes: Vec<u8> = values.flat_map(i64::to_le_bytes).collect();
            PyBytes::new(py, &bytes).into()
        };
        let tokens = served.iter().flat_map(|request| request.tokens.iter());
        let tokens: Vec<u8> = tokens.flat_map(|count| count.to_le_bytes()).collect();
        Ok(Self {
            request_id: PyTuple::new(py, served.iter().map(|request| &request.request_id))?.into(),
            seen_ns: long(&mut served.iter().map(|request| request.seen_ns)),
            offsets: long(&mut offsets.into_iter()),
            due_ns: long(
                &mut served
                    .iter()
                    .flat_map(|request| request.due_ns.iter().copied()),
            ),
            written_ns: long(
                &mut served
                    .iter()
                    .flat_map(|request| request.written_ns.iter().copied()),
            ),
            tokens: PyBytes::new(py, &tokens).into(),
        })
    }
}

fn delay(name: &str, text: &str) -> PyResult<Delay> {
    Delay::parse(text).map_err(|reason| PyValueError::new_err(format!("{name}: {reason}")))
}

fn fixed(name: &str, text: &str) -> PyResult<i64> {
    duration_ns(text)
        .map(whole)
        .ok_or_else(|| PyValueError::new_err(format!("{name}: {text:?} is no time, like 40ms")))
}

/// A server whose truth is known.
#[pymodule]
mod polystack_truth {
    #[pymodule_export]
    use super::{Truth, TruthServer};
}
