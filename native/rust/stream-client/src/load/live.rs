//! Figures while a load runs. They are for looking at; results are computed from the stamps.

use hdrhistogram::Histogram;

use crate::load::answer::Answer;

const SIGNIFICANT_DIGITS: u8 = 2;
/// An hour: what takes longer is shown as that.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// How a load stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Since the clock started.
    pub elapsed_ns: i64,
    /// Requests that are sent and not answered.
    pub in_flight: u64,
    /// Requests that have ended, failed ones too.
    pub finished: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Chunks with content.
    pub events: u64,
    /// Tokens of the finished requests, as far as they are counted.
    pub output_tokens: u64,
    /// p50, p90, p99 of the time to the first token; 0 as long as there is none.
    pub ttft_ns: [u64; 3],
    /// The same of the gaps between tokens.
    pub itl_ns: [u64; 3],
}

/// Collects what a [`Snapshot`] shows.
pub struct Live {
    ttft: Histogram<u64>,
    itl: Histogram<u64>,
    counts: Snapshot,
}

impl Live {
    /// Nothing has happened yet.
    ///
    /// # Panics
    /// Never: the number of digits is allowed.
    #[must_use]
    #[allow(clippy::expect_used, reason = "a constant that hdrhistogram accepts")]
    pub fn new() -> Self {
        let empty =
            || Histogram::new_with_max(LONGEST_NS, SIGNIFICANT_DIGITS).expect("1 to 5 digits");
        Self {
            ttft: empty(),
            itl: empty(),
            counts: Snapshot::default(),
        }
    }

    /// `answer` got chunks beyond the first `before`; it was due at `scheduled_ns`.
    pub fn saw(&mut self, answer: &Answer, before: usize, scheduled_ns: i64) {
        let chunks = &answer.chunks;
        for index in before..chunks.len() {
            let arrival = chunks[index].arrival;
            self.counts.events += 1;
            if index == 0 {
                self.ttft
                    .saturating_record(positive(arrival.ns - scheduled_ns));
            } else if arrival.read_index != chunks[index - 1].arrival.read_index {
                self.itl
                    .saturating_record(positive(arrival.ns - chunks[index - 1].arrival.ns));
            }
        }
    }

    /// A request has ended.
    pub fn ended(&mut self, answer: &Answer) {
        self.counts.finished += 1;
        self.counts.failed += u64::from(answer.failure.is_some());
        self.counts.output_tokens += u64::from(answer.output_tokens().unwrap_or(0));
    }

    /// How it stands now.
    #[must_use]
    pub fn snapshot(&self, elapsed_ns: i64, in_flight: usize) -> Snapshot {
        let of = |all: &Histogram<u64>| [50.0, 90.0, 99.0].map(|p| all.value_at_percentile(p));
        Snapshot {
            elapsed_ns,
            in_flight: in_flight as u64,
            ttft_ns: of(&self.ttft),
            itl_ns: of(&self.itl),
            ..self.counts
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

fn positive(ns: i64) -> u64 {
    u64::try_from(ns).unwrap_or(0).max(1)
}
