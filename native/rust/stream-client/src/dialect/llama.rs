//! llama.cpp's own protocol, which llamafile speaks as well.
//!
//! Newer servers say in each event how many tokens there are by then; a token that ends within
//! a character comes with the one that completes it. The last event's count includes the mark
//! that ends an answer.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::strict::{Size, object};
use super::{Counts, Meaning, NotUnderstood, Stop, error_text, is_error};

#[derive(Deserialize)]
struct Event {
    content: Option<String>,
    tokens: Option<Vec<IgnoredAny>>,
    stop: Option<bool>,
    stop_type: Option<String>,
    stopped_limit: Option<bool>,
    stopped_eos: Option<bool>,
    tokens_predicted: Option<Size>,
    tokens_evaluated: Option<Size>,
    timings: Option<IgnoredAny>,
    error: Option<Value>,
}

pub fn read(payload: &[u8], counts: &mut Counts) -> Result<Meaning, NotUnderstood> {
    let event: Event = object(payload)?;
    if let Some(error) = event.error.filter(is_error) {
        return Ok(Meaning {
            error: Some(error_text(&error)),
            ..Meaning::default()
        });
    }
    let (Some(text), Some(is_end)) = (event.content, event.stop) else {
        return Err(NotUnderstood);
    };
    let stop = match (
        event.stop_type.as_deref(),
        event.stopped_limit,
        event.stopped_eos,
    ) {
        (Some("limit"), ..) | (None, Some(true), _) => Stop::Length,
        (Some("eos"), ..) | (None, _, Some(true)) => Stop::EndOfSequence,
        _ => Stop::Unknown,
    };
    counts.prompt = event.tokens_evaluated.map(u32::from).or(counts.prompt);
    let mark = u32::from(is_end && stop == Stop::EndOfSequence);
    let tokens = match event
        .tokens_predicted
        .map(|total| u32::from(total).saturating_sub(mark))
    {
        // A server that counts at the end only says nothing of the chunks before.
        Some(total) if is_end && counts.output.is_none() => {
            counts.output = Some(total);
            0
        }
        Some(total) => counts.advance(total),
        None => event.tokens.map_or(0, |tokens| super::count(tokens.len())),
    };
    Ok(Meaning {
        text,
        tokens,
        stop,
        is_end,
        is_last: is_end,
        has_figures: event.timings.is_some(),
        ..Meaning::default()
    })
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::dialect::{Counts, Stop};

    #[test]
    fn running_counts_tell_of_each_event() {
        let mut counts = Counts::default();
        let events = [
            (
                r#"{"content":"a","tokens":[5],"stop":false,"tokens_predicted":1,"tokens_evaluated":4}"#,
                1,
            ),
            (
                r#"{"content":"ü","tokens":[7],"stop":false,"tokens_predicted":3,"tokens_evaluated":4}"#,
                2,
            ),
            (
                r#"{"content":"","tokens":[],"stop":true,"stop_type":"limit","tokens_predicted":4}"#,
                1,
            ),
        ];
        for (payload, tokens) in events {
            assert_eq!(
                read(payload.as_bytes(), &mut counts).unwrap().tokens,
                tokens
            );
        }
        assert_eq!(
            counts,
            Counts {
                prompt: Some(4),
                output: Some(4)
            }
        );
    }

    #[test]
    fn the_mark_that_ends_an_answer_is_no_token_of_it() {
        let mut counts = Counts {
            prompt: None,
            output: Some(3),
        };
        let last =
            br#"{"content":"","stop":true,"stop_type":"eos","tokens_predicted":4,"timings":{}}"#;
        let meaning = read(last, &mut counts).unwrap();
        assert_eq!((meaning.stop, meaning.tokens), (Stop::EndOfSequence, 0));
        assert!(meaning.is_end && meaning.has_figures && !meaning.has_content());
        assert_eq!(counts.output, Some(3));
    }

    #[test]
    fn a_server_that_counts_at_the_end_only() {
        let mut counts = Counts::default();
        let first = read(br#"{"content":"a","stop":false}"#, &mut counts).unwrap();
        assert_eq!(first.tokens, 0);
        let last = br#"{"content":"","stop":true,"stopped_limit":true,"tokens_predicted":2}"#;
        let meaning = read(last, &mut counts).unwrap();
        assert_eq!((meaning.stop, meaning.tokens), (Stop::Length, 0));
        assert_eq!(counts.output, Some(2));
    }

    #[test]
    fn errors_and_what_is_no_message() {
        let mut counts = Counts::default();
        let error = br#"{"error":{"code":500,"message":"too long","type":"x"}}"#;
        assert_eq!(read(error, &mut counts).unwrap().error.unwrap(), "too long");
        for payload in ["<html>", "{}", r#"{"status":"ok"}"#] {
            assert!(read(payload.as_bytes(), &mut counts).is_err(), "{payload}");
        }
    }
}
