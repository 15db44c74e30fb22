//! A length of time, fixed or drawn: `50ms`, `uniform:40ms,60ms`, `lognormal:50ms,0.3`.

use rand::Rng;
use rand::rngs::StdRng;
use rand_distr::{Distribution, Exp, LogNormal, Uniform};

const UNITS: [(&str, f64); 4] = [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)];

/// How long something takes, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub enum Delay {
    /// Always the same.
    Fixed(f64),
    /// Evenly between two bounds.
    Uniform(Uniform<f64>),
    /// Log-normal around a median.
    LogNormal(LogNormal<f64>),
    /// Exponential around a mean.
    Exponential(Exp<f64>),
}

impl Delay {
    /// Read `text`.
    ///
    /// # Errors
    /// It is no delay; the message says what would be one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (kind, arguments) = text.split_once(':').unwrap_or(("fixed", text));
        let parts: Vec<&str> = arguments.split(',').map(str::trim).collect();
        let parsed = match (kind, parts.as_slice()) {
            ("fixed", [time]) => duration_ns(time).map(Self::Fixed),
            ("uniform", [low, high]) => duration_ns(low)
                .zip(duration_ns(high))
                .and_then(|(low, high)| Uniform::new_inclusive(low, high).ok())
                .map(Self::Uniform),
            ("lognormal", [median, sigma]) => duration_ns(median)
                .zip(sigma.parse::<f64>().ok().filter(|sigma| *sigma >= 0.0))
                .and_then(|(median, sigma)| LogNormal::new(median.ln(), sigma).ok())
                .map(Self::LogNormal),
            ("exponential", [mean]) => duration_ns(mean)
                .and_then(|mean| Exp::new(1.0 / mean).ok())
                .map(Self::Exponential),
            _ => None,
        };
        parsed.ok_or_else(|| {
            format!(
                "{text:?} is no delay; like 50ms, uniform:40ms,60ms, lognormal:50ms,0.3 \
                 (median, sigma) or exponential:50ms"
            )
        })
    }

    /// The next one, in nanoseconds.
    pub fn draw(&self, random: &mut StdRng) -> i64 {
        let drawn = match self {
            Self::Fixed(time) => *time,
            Self::Uniform(range) => random.sample(range),
            Self::LogNormal(law) => law.sample(random),
            Self::Exponential(law) => law.sample(random),
        };
        whole(drawn)
    }
}

/// A fixed time such as `50ms` in nanoseconds; None if it is none.
#[must_use]
pub fn duration_ns(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number: f64 = digits.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number * factor)
}

/// Nanoseconds as a whole number.
#[must_use]
#[allow(clippy::cast_possible_truncation, reason = "292 years are enough")]
pub fn whole(ns: f64) -> i64 {
    ns.round() as i64
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::{Delay, duration_ns, whole};

    #[test]
    fn durations() {
        for (text, ns) in [
            ("50ms", 50_000_000),
            ("1.5s", 1_500_000_000),
            ("0us", 0),
            ("7ns", 7),
        ] {
            assert_eq!(duration_ns(text).map(whole), Some(ns), "{text}");
        }
        for text in ["", "50", "ms", "-1ms", "1 ms", "infs", "1min"] {
            assert_eq!(duration_ns(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_drawn_follows_its_law_and_its_seed() {
        for (text, median_ms) in [
            ("50ms", 50.0),
            ("uniform:40ms,60ms", 50.0),
            ("lognormal:50ms,0.3", 50.0),
        ] {
            let delay = Delay::parse(text).unwrap();
            let mut random = StdRng::seed_from_u64(1);
            let mut drawn: Vec<i64> = (0..2001).map(|_| delay.draw(&mut random)).collect();
            let mut again = StdRng::seed_from_u64(1);
            assert_eq!(drawn[0], delay.draw(&mut again));
            drawn.sort_unstable();
            #[allow(clippy::cast_precision_loss, reason = "milliseconds")]
            let median = drawn[1000] as f64 / 1e6;
            assert!((median - median_ms).abs() < 2.0, "{text}: {median}");
        }
    }

    #[test]
    fn what_is_no_delay_is_refused() {
        for text in [
            "fast",
            "50",
            "uniform:60ms,40ms",
            "uniform:1ms",
            "normal:5ms,1",
            "lognormal:5ms,-1",
        ] {
            let error = Delay::parse(text).unwrap_err();
            assert!(error.contains("no delay"), "{text}: {error}");
        }
    }
}
