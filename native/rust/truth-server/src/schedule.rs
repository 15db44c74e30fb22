//! What is due when. All times are nanoseconds.

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::delay::Delay;

/// How the server behaves in time.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// From the request (or from the free slot) to the first event.
    pub ttft: Delay,
    /// From one event to the next.
    pub itl: Delay,
    /// Tokens of an answer that does not say how many it wants.
    pub tokens: u32,
    /// Tokens in one event.
    pub tokens_per_chunk: u32,
    /// Events in one write.
    pub chunks_per_write: u32,
    /// Every so many gaps one is longer; 0: none.
    pub slow_every: u32,
    /// By so much.
    pub slow_extra_ns: i64,
    /// Requests that are answered at once, the others wait; 0: all.
    pub slots: usize,
    /// From the first request to the time in which nothing is written.
    pub stall_after_ns: i64,
    /// How long nothing is written.
    pub stall_for_ns: i64,
    /// For what is drawn.
    pub seed: u64,
}

/// The events of one answer: when each is due.
#[derive(Debug)]
pub struct Answering {
    random: StdRng,
    /// Tokens in all.
    pub tokens: u32,
    /// Tokens that have been sent.
    pub sent: u32,
    /// Gaps so far.
    gaps: u32,
    /// When the next event is due.
    pub due_ns: i64,
}

impl Schedule {
    /// The answer to request `number`, begun at `begun_ns`, of `tokens` tokens.
    #[must_use]
    pub fn answer(&self, number: u64, begun_ns: i64, tokens: Option<u32>) -> Answering {
        // A seed for each request: what one answer draws does not hang on the others.
        let mut random =
            StdRng::seed_from_u64(self.seed.wrapping_add(number.wrapping_mul(0x9E37_79B9)));
        let due_ns = begun_ns + self.ttft.draw(&mut random);
        Answering {
            random,
            tokens: tokens.unwrap_or(self.tokens),
            sent: 0,
            gaps: 0,
            due_ns,
        }
    }

    /// `due_ns`, or the end of the time in which nothing is written.
    #[must_use]
    pub fn stalled(&self, due_ns: i64, first_request_ns: i64) -> i64 {
        let begin = first_request_ns + self.stall_after_ns;
        let end = begin + self.stall_for_ns;
        if (begin..end).contains(&due_ns) {
            end
        } else {
            due_ns
        }
    }

    /// Tokens of the next event of `answering`.
    #[must_use]
    pub fn next_tokens(&self, answering: &Answering) -> u32 {
        self.tokens_per_chunk.min(answering.tokens - answering.sent)
    }

    /// An event was written that was due at `answering.due_ns`: when is the next one due?
    pub fn go_on(&self, answering: &mut Answering) {
        answering.gaps += 1;
        let is_slow = self.slow_every > 0 && answering.gaps.is_multiple_of(self.slow_every);
        let extra = if is_slow { self.slow_extra_ns } else { 0 };
        answering.due_ns += self.itl.draw(&mut answering.random) + extra;
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use crate::delay::Delay;

    fn schedule() -> Schedule {
        Schedule {
            ttft: Delay::Fixed(50.0),
            itl: Delay::Fixed(10.0),
            tokens: 7,
            tokens_per_chunk: 1,
            chunks_per_write: 1,
            slow_every: 0,
            slow_extra_ns: 0,
            slots: 0,
            stall_after_ns: 0,
            stall_for_ns: 0,
            seed: 0,
        }
    }

    fn due(schedule: &Schedule, tokens: Option<u32>) -> Vec<i64> {
        let mut answering = schedule.answer(0, 1000, tokens);
        let mut found = Vec::new();
        while answering.sent < answering.tokens {
            found.push(answering.due_ns);
            answering.sent += schedule.next_tokens(&answering);
            schedule.go_on(&mut answering);
        }
        found
    }

    #[test]
    fn the_first_event_then_even_gaps() {
        assert_eq!(due(&schedule(), Some(3)), [1050, 1060, 1070]);
        assert_eq!(due(&schedule(), None).len(), 7);
    }

    #[test]
    fn every_second_gap_is_longer() {
        let slow = Schedule {
            slow_every: 2,
            slow_extra_ns: 40,
            ..schedule()
        };
        assert_eq!(due(&slow, Some(5)), [1050, 1060, 1110, 1120, 1170]);
    }

    #[test]
    fn several_tokens_in_an_event() {
        let coarse = Schedule {
            tokens_per_chunk: 4,
            ..schedule()
        };
        assert_eq!(due(&coarse, Some(9)).len(), 3);
    }

    #[test]
    fn a_stall_moves_what_is_due_in_it() {
        let stall = Schedule {
            stall_after_ns: 100,
            stall_for_ns: 200,
            ..schedule()
        };
        let moved = [0, 1099, 1100, 1299, 1300].map(|due| stall.stalled(due, 1000));
        assert_eq!(moved, [0, 1099, 1300, 1300, 1300]);
    }
}
