//! Requests that have ended, as Python gets them: a `bytes` object a column, copied once.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::load::Columns;

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
    pub(crate) fn new(py: Python<'_>, columns: &Columns) -> PyResult<Self> {
        let long = |values: &[i64]| bytes(py, values, i64::to_le_bytes);
        let short = |values: &[i32]| bytes(py, values, i32::to_le_bytes);
        let offsets: Vec<i64> = std::iter::once(0)
            .chain(columns.chunk_ends.iter().copied())
            .collect();
        let figures = columns
            .figures
            .iter()
            .map(|payload| PyBytes::new(py, payload));
        Ok(Self {
            number: long(&columns.number)?,
            user: short(&columns.user)?,
            scheduled_ns: long(&columns.scheduled_ns)?,
            sent_ns: long(&columns.sent_ns)?,
            connect_ns: long(&columns.connect_ns)?,
            tls_ns: long(&columns.tls_ns)?,
            headers_ns: long(&columns.headers_ns)?,
            ended_ns: long(&columns.ended_ns)?,
            status: short(&columns.status)?,
            prompt_tokens: short(&columns.prompt_tokens)?,
            output_tokens: short(&columns.output_tokens)?,
            chunk_offsets: long(&offsets)?,
            chunk_ns: long(&columns.chunk_ns)?,
            chunk_tokens: short(&columns.chunk_tokens)?,
            chunk_reads: short(&columns.chunk_reads)?,
            chunk_is_reasoning: PyBytes::new(py, &columns.chunk_is_reasoning).into(),
            error_kind: PyTuple::new(py, &columns.error_kind)?.into(),
            error: PyTuple::new(py, &columns.error)?.into(),
            stop: PyTuple::new(py, &columns.stop)?.into(),
            text: PyTuple::new(py, &columns.text)?.into(),
            r#final: PyTuple::new(py, figures)?.into(),
        })
    }
}

/// `values` one after the other, little-endian, written straight into what Python gets.
fn bytes<T: Copy, const N: usize>(
    py: Python<'_>,
    values: &[T],
    encode: impl Fn(T) -> [u8; N],
) -> PyResult<Py<PyBytes>> {
    let filled = PyBytes::new_with(py, values.len() * N, |out| {
        for (place, value) in out.chunks_exact_mut(N).zip(values) {
            place.copy_from_slice(&encode(*value));
        }
        Ok(())
    })?;
    Ok(filled.into())
}
