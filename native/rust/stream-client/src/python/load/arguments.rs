//! What Python gives, as a load takes it; what makes no sense is a `ValueError`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::dialect::{DIALECTS, Dialect};
use crate::load::Shape;
use crate::load::limits::allow_connections;
use crate::python::{duration, to_python};

const NS_PER_S: f64 = 1e9;

pub(crate) fn dialect_named(name: &str) -> PyResult<Dialect> {
    Dialect::named(name).ok_or_else(|| {
        let known = DIALECTS.map(|(known, _)| known).join(", ");
        PyValueError::new_err(format!("dialect: {name:?} is none of {known}"))
    })
}

pub(super) fn shape(
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
                None => {
                    // Before memory is taken for each of them.
                    allow_connections(users).map_err(to_python)?;
                    vec![0; users]
                }
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

#[allow(
    clippy::cast_possible_truncation,
    reason = "`duration` takes a hundred years at most, and 292 fit"
)]
pub(super) fn nanoseconds(name: &str, seconds: f64) -> PyResult<i64> {
    duration(name, seconds).map(|time| (time.as_secs_f64() * NS_PER_S) as i64)
}
