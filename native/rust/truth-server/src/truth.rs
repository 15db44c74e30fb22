//! What really happened, request by request.

use hdrhistogram::Histogram;

/// One request. Nanoseconds of `CLOCK_MONOTONIC`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// The value of `X-Request-Id`, else its number in order of arrival.
    pub request_id: String,
    /// It was read whole.
    pub seen_ns: i64,
    /// For each event with content: when it was due.
    pub due_ns: Vec<i64>,
    /// For each event with content: just before it was written.
    pub written_ns: Vec<i64>,
    /// For each event with content: tokens in it.
    pub tokens: Vec<i32>,
}

/// How late a server was against its own schedule, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    /// Median.
    pub p50_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// The worst.
    pub max_ns: u64,
}

/// The lateness over all events of `served`.
#[must_use]
pub fn lateness(served: &[Served]) -> Lateness {
    let Ok(mut all) = Histogram::<u64>::new(3) else {
        return Lateness::default();
    };
    for request in served {
        for (due, written) in request.due_ns.iter().zip(&request.written_ns) {
            all.saturating_record(u64::try_from(written - due).unwrap_or(0));
        }
    }
    Lateness {
        p50_ns: all.value_at_percentile(50.0),
        p99_ns: all.value_at_percentile(99.0),
        max_ns: all.max(),
    }
}

/// All of it as JSON, for readers in other processes.
#[must_use]
pub fn as_json(served: &[Served]) -> String {
    let requests: Vec<serde_json::Value> = served
        .iter()
        .map(|request| {
            serde_json::json!({
                "request_id": request.request_id,
                "seen_ns": request.seen_ns,
                "due_ns": request.due_ns,
                "written_ns": request.written_ns,
                "tokens": request.tokens,
            })
        })
        .collect();
    serde_json::json!({ "requests": requests }).to_string()
}

#[cfg(test)]
mod tests {
    use super::{Served, as_json, lateness};

    #[test]
    fn lateness_is_written_less_due() {
        let served = Served {
            due_ns: vec![10, 20, 30],
            written_ns: vec![11, 20, 39],
            ..Served::default()
        };
        let late = lateness(&[served]);
        assert_eq!((late.p50_ns, late.max_ns), (1, 9));
        assert_eq!(lateness(&[]), super::Lateness::default());
    }

    #[test]
    fn json_has_every_request() {
        let served = Served {
            request_id: "a\"b".to_owned(),
            seen_ns: 5,
            ..Served::default()
        };
        let text = as_json(&[served]);
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["requests"][0]["request_id"], "a\"b");
        assert_eq!(back["requests"][0]["seen_ns"], 5);
    }
}
