//! What a load asks for.

use crate::dialect::Dialect;
use crate::error::StreamError;
use crate::http::Target;

/// When requests are sent. All times are nanoseconds after the clock has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Each user sends its next request when it has its answer.
    Closed {
        /// When each user sends its first.
        starts_ns: Vec<i64>,
        /// Ends after so many; None: `duration_ns` ends it.
        requests: Option<u64>,
        /// No request is sent after that.
        duration_ns: Option<i64>,
    },
    /// Requests are sent when they are due, whatever the server does.
    Open {
        /// When each request is due, ascending.
        arrivals_ns: Vec<i64>,
        /// How many connections stand before the clock starts.
        connections: usize,
    },
}

impl Shape {
    /// How many connections stand before the clock starts.
    #[must_use]
    pub fn connections(&self) -> usize {
        match self {
            Self::Closed { starts_ns, .. } => starts_ns.len(),
            Self::Open { connections, .. } => *connections,
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::Closed {
                starts_ns,
                requests,
                duration_ns,
            } => {
                if starts_ns.is_empty() {
                    return Err("a closed loop needs at least one user");
                }
                if starts_ns.iter().any(|start| *start < 0) {
                    return Err("no user can start before the clock");
                }
                match (requests, duration_ns) {
                    (None, None) => Err("nothing says when the load ends"),
                    (Some(0), _) => Err("no requests are asked for"),
                    (_, Some(time)) if *time <= 0 => Err("the duration is no time"),
                    _ => Ok(()),
                }
            }
            Self::Open {
                arrivals_ns,
                connections,
            } => {
                if arrivals_ns.is_empty() {
                    return Err("no requests are asked for");
                }
                if arrivals_ns[0] < 0 || !arrivals_ns.is_sorted() {
                    return Err("the arrivals are not in their order");
                }
                if *connections == 0 {
                    return Err("an open loop needs at least one connection");
                }
                Ok(())
            }
        }
    }
}

/// All that a load needs to know.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the requests go.
    pub target: Target,
    /// Request k has body k modulo their number.
    pub bodies: Vec<Vec<u8>>,
    /// What the server speaks.
    pub dialect: Dialect,
    /// When requests are sent.
    pub shape: Shape,
    /// Time for an answer, from the sending of its request.
    pub timeout_ns: i64,
    /// Time until a connection stands.
    pub connect_timeout_ns: i64,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The header that gets the request's number, if any.
    pub id_header: Option<String>,
    /// Bytes that one event may have.
    pub max_event_bytes: usize,
    /// Whether answers are kept.
    pub keeps_text: bool,
    /// Further trusted certificates, a PEM file.
    pub ca_file: Option<String>,
}

impl Plan {
    /// Whether it can be carried out.
    ///
    /// # Errors
    /// It makes no sense; the message says what.
    pub fn check(&self) -> Result<(), StreamError> {
        if self.bodies.is_empty() {
            return Err(StreamError::InvalidRequest(
                "there is no body to send".to_owned(),
            ));
        }
        self.shape
            .check()
            .map_err(|reason| StreamError::InvalidRequest(reason.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;

    fn closed(starts: &[i64], requests: Option<u64>, duration_ns: Option<i64>) -> Shape {
        Shape::Closed {
            starts_ns: starts.to_vec(),
            requests,
            duration_ns,
        }
    }

    fn open(arrivals: &[i64], connections: usize) -> Shape {
        Shape::Open {
            arrivals_ns: arrivals.to_vec(),
            connections,
        }
    }

    #[test]
    fn shapes_that_make_sense() {
        for shape in [
            closed(&[0, 5], Some(1), None),
            closed(&[0], None, Some(1)),
            open(&[0, 0, 3], 1),
        ] {
            assert_eq!(shape.check(), Ok(()), "{shape:?}");
        }
    }

    #[test]
    fn shapes_that_make_none() {
        for shape in [
            closed(&[], Some(1), None),
            closed(&[-1], Some(1), None),
            closed(&[0], None, None),
            closed(&[0], Some(0), None),
            closed(&[0], None, Some(0)),
            open(&[], 1),
            open(&[3, 1], 1),
            open(&[-1], 1),
            open(&[0], 0),
        ] {
            assert!(shape.check().is_err(), "{shape:?}");
        }
    }
}
