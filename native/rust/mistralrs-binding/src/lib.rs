//! The Python module `polystack_mistralrs`: mistral.rs in process, a stamp for every token.
//!
//! - [`model`]: loads a model into mistral.rs's engine and asks it for one answer at a time;
//! - [`watch`]: sees every token of an answer at the moment it is chosen;
//! - [`clock`]: the one clock, `CLOCK_MONOTONIC` in nanoseconds.

mod clock;
mod model;
mod score;
mod watch;

use std::str::FromStr;

use candle_core::Device;
use mistralrs_core::{ModelDType, parse_isq_value};
use pyo3::create_exception;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

create_exception!(
    polystack_mistralrs,
    MistralRsError,
    PyRuntimeError,
    "mistral.rs could not do what was asked."
);

/// One answer. See the `.pyi` file.
#[pyclass(frozen, get_all, module = "polystack_mistralrs")]
struct Answer {
    ids: Vec<u32>,
    token_ns: Vec<i64>,
    stopped: bool,
    requested_ns: i64,
    ended_ns: i64,
    prefill_ns: i64,
    decode_ns: i64,
    sample_ns: i64,
    total_prompt_time_sec: f32,
    total_completion_time_sec: f32,
}

impl From<model::Answer> for Answer {
    fn from(answer: model::Answer) -> Self {
        Self {
            ids: answer.tokens.iter().map(|token| token.id).collect(),
            token_ns: answer.tokens.iter().map(|token| token.ns).collect(),
            stopped: answer.stopped,
            requested_ns: answer.span.requested_ns,
            ended_ns: answer.span.ended_ns,
            prefill_ns: answer.spent.prefill,
            decode_ns: answer.spent.decode,
            sample_ns: answer.spent.sample,
            total_prompt_time_sec: answer.span.usage.total_prompt_time_sec,
            total_completion_time_sec: answer.span.usage.total_completion_time_sec,
        }
    }
}

/// What the model makes of given tokens. See the `.pyi` file.
#[pyclass(frozen, get_all, module = "polystack_mistralrs")]
struct Scores {
    logprobs: Vec<f64>,
    top_ids: Vec<Vec<u32>>,
    top_logprobs: Vec<Vec<f64>>,
}

impl From<score::Scores> for Scores {
    fn from(scores: score::Scores) -> Self {
        Self {
            logprobs: scores.logprobs,
            top_ids: scores.top_ids,
            top_logprobs: scores.top_logprobs,
        }
    }
}

/// A loaded model. See the `.pyi` file.
#[pyclass(frozen, module = "polystack_mistralrs")]
struct Model(model::Model);

#[pymethods]
impl Model {
    #[new]
    #[pyo3(signature = (folder, *, dtype, isq=None))]
    fn new(py: Python<'_>, folder: &str, dtype: &str, isq: Option<&str>) -> PyResult<Self> {
        let dtype = ModelDType::from_str(dtype).map_err(PyValueError::new_err)?;
        let isq = isq
            .map(|name| parse_isq_value(name, Some(&Device::Cpu)))
            .transpose()
            .map_err(PyValueError::new_err)?;
        py.detach(|| model::Model::load(folder, dtype, isq))
            .map(Self)
            .map_err(|error| to_python(&error))
    }

    #[getter]
    fn dtype(&self) -> String {
        self.0.dtype()
    }

    fn tokenize(&self, py: Python<'_>, text: String) -> PyResult<Vec<u32>> {
        py.detach(|| self.0.tokenize(text))
            .map_err(|error| to_python(&error))
    }

    fn detokenize(&self, py: Python<'_>, ids: Vec<u32>) -> PyResult<String> {
        py.detach(|| self.0.detokenize(ids))
            .map_err(|error| to_python(&error))
    }

    #[pyo3(signature = (prompt_ids, *, new_tokens, stop_ids))]
    #[allow(clippy::needless_pass_by_value, reason = "taken over from Python")]
    fn generate(
        &self,
        py: Python<'_>,
        prompt_ids: Vec<u32>,
        new_tokens: usize,
        stop_ids: Vec<u32>,
    ) -> PyResult<Answer> {
        check(&prompt_ids, new_tokens)?;
        py.detach(|| self.0.generate(prompt_ids, new_tokens, &stop_ids))
            .map(Answer::from)
            .map_err(|error| to_python(&error))
    }

    #[pyo3(signature = (prompt_ids, answer_ids, *, top))]
    #[allow(clippy::needless_pass_by_value, reason = "taken over from Python")]
    fn score(
        &self,
        py: Python<'_>,
        prompt_ids: Vec<u32>,
        answer_ids: Vec<u32>,
        top: usize,
    ) -> PyResult<Scores> {
        check(&prompt_ids, answer_ids.len())?;
        py.detach(|| self.0.score(&prompt_ids, &answer_ids, top))
            .map(Scores::from)
            .map_err(|error| to_python(&error))
    }

    #[pyo3(signature = (prompt_ids, *, new_tokens))]
    fn generate_unwatched(
        &self,
        py: Python<'_>,
        prompt_ids: Vec<u32>,
        new_tokens: usize,
    ) -> PyResult<(i64, i64)> {
        check(&prompt_ids, new_tokens)?;
        py.detach(|| self.0.generate_unwatched(prompt_ids, new_tokens))
            .map(|span| (span.requested_ns, span.ended_ns))
            .map_err(|error| to_python(&error))
    }
}

/// See the `.pyi` file.
#[pyfunction]
#[pyo3(signature = (*, vocabulary))]
fn watch_cost_ns(py: Python<'_>, vocabulary: usize) -> PyResult<i64> {
    py.detach(|| watch::watch_cost_ns(vocabulary))
        .map_err(|error| MistralRsError::new_err(error.to_string()))
}

fn check(prompt_ids: &[u32], new_tokens: usize) -> PyResult<()> {
    if prompt_ids.is_empty() || new_tokens == 0 {
        return Err(MistralRsError::new_err(
            "a request needs a prompt and at least one new token",
        ));
    }
    Ok(())
}

fn to_python(error: &anyhow::Error) -> PyErr {
    // The whole chain of reasons in one line; a backtrace may come after it.
    let reasons = format!("{error:#}");
    MistralRsError::new_err(reasons.lines().next().unwrap_or_default().to_owned())
}

/// mistral.rs in process, with a time stamp for every token.
#[pymodule]
mod polystack_mistralrs {
    #[pymodule_export]
    use super::{Answer, MistralRsError, Model, Scores, watch_cost_ns};
}
