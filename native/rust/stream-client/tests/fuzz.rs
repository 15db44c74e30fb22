//! Millions of spoilt answers: none makes a reader panic or hang, and none is read otherwise for
//! having been cut otherwise.
//!
//! `POLYSTACK_FUZZ_INPUTS` says how many (20,000), `POLYSTACK_FUZZ_SEED` which (1). Input k of a
//! seed is always the same, so a failure can be repeated: its seed and number are printed, and
//! `POLYSTACK_FUZZ_FIRST` begins there.

mod spoilt;

use std::num::ParseIntError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use polystack_stream::client::read_stream;
use polystack_stream::dialect::{Counts, DIALECTS, Dialect, Stop};
use polystack_stream::load::exchange::read_load;
use polystack_stream::load::failure::ErrorKind;
use spoilt::{Random, pieces, spoilt_answer};

const LIMIT: usize = 1 << 12;
const MOST: Duration = Duration::from_secs(5);

/// What a load makes of an answer, as far as cuts must not change it.
#[derive(Debug, PartialEq)]
struct Load {
    status: u16,
    failure: Option<ErrorKind>,
    text: String,
    chunks: Vec<(u32, bool)>,
    counts: Counts,
    stop: Stop,
    figures: Vec<u8>,
}

fn in_a_load(dialect: Dialect, pieces: &[&[u8]]) -> Load {
    let exchange = read_load(pieces, dialect, LIMIT);
    let status = exchange.status();
    let total = exchange.answer.output_tokens();
    let answer = exchange.answer;
    let failure = answer.failure.map(|failure| failure.kind);
    if failure.is_none() {
        let sent = answer.chunks.iter().filter(|chunk| !chunk.is_reasoning);
        assert!(
            total.is_none_or(|total| sent.count() <= total as usize + 1),
            "more chunks than tokens"
        );
        assert!(answer.has_end && !answer.chunks.is_empty());
    }
    assert!(answer.beginning.len() <= 4096);
    let chunks = answer.chunks.iter();
    Load {
        status,
        failure,
        text: answer.text,
        chunks: chunks
            .map(|each| (each.tokens, each.is_reasoning))
            .collect(),
        counts: answer.counts,
        stop: answer.stop,
        figures: answer.figures,
    }
}

/// Status, events, and the beginning of what is no stream.
type Single = (u16, Vec<Vec<u8>>, Vec<u8>);

/// What the reader of single requests makes of it: its events, or why there are none.
fn alone(dialect: Dialect, pieces: &[&[u8]]) -> Result<Single, String> {
    let record = read_stream(pieces, dialect.framing(), LIMIT).map_err(|error| {
        // How much of the beginning is shown hangs on how much had come.
        let words = error.to_string();
        words
            .split("; it begins")
            .next()
            .unwrap_or_default()
            .to_owned()
    })?;
    let events = record.events.into_iter().map(|event| event.payload);
    Ok((record.status, events.collect(), record.error_body))
}

fn check(random: &mut Random) {
    let dialect = DIALECTS[random.below(DIALECTS.len())].1;
    let answer = spoilt_answer(random, dialect);
    let whole: &[&[u8]] = &[&answer];
    let cut = pieces(random, &answer);
    let load = in_a_load(dialect, whole);
    let single = alone(dialect, whole);
    assert_eq!(load, in_a_load(dialect, &cut));
    assert_eq!(single, alone(dialect, &cut));
    assert!(
        load.failure.is_some() || single.is_ok(),
        "a load reads what one request alone does not"
    );
}

fn given(name: &str, usual: u64) -> Result<u64, ParseIntError> {
    std::env::var(name).map_or(Ok(usual), |text| text.parse())
}

/// The number of the first input that fails, if one does.
fn run(seed: u64, inputs: std::ops::Range<u64>) -> Option<u64> {
    for number in inputs {
        let began = Instant::now();
        let mut random = Random::new(seed, number);
        if catch_unwind(AssertUnwindSafe(|| check(&mut random))).is_err() || began.elapsed() > MOST
        {
            return Some(number);
        }
    }
    None
}

#[test]
fn no_bytes_and_no_cuts_make_a_reader_fail() {
    let inputs = given("POLYSTACK_FUZZ_INPUTS", 20_000).expect("a number");
    let seed = given("POLYSTACK_FUZZ_SEED", 1).expect("a number");
    let first = given("POLYSTACK_FUZZ_FIRST", 0).expect("a number");
    let began = Instant::now();
    let workers = std::thread::available_parallelism()
        .map_or(1, |count| count.get() as u64)
        .min(inputs);
    let failed = std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers)
            .map(|worker| {
                let from = first + inputs * worker / workers;
                let to = first + inputs * (worker + 1) / workers;
                scope.spawn(move || run(seed, from..to))
            })
            .collect();
        running
            .into_iter()
            .filter_map(|each| each.join().expect("a worker"))
            .min()
    });
    println!(
        "{inputs} inputs from {first} of seed {seed} in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    assert_eq!(failed, None, "seed {seed}: that input fails");
}
