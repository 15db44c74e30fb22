//! Ollama's own protocol. The counts stand in the last message; the mark that ends an answer
//! is counted as a token there and has no message of its own.

use serde::Deserialize;
use serde_json::Value;

use super::strict::{Size, object};
use super::{Counts, Meaning, NotUnderstood, Stop, error_text, is_error};

#[derive(Deserialize)]
struct Message {
    response: Option<String>,
    #[serde(rename = "message")]
    said: Option<Said>,
    thinking: Option<String>,
    done: Option<bool>,
    done_reason: Option<String>,
    prompt_eval_count: Option<Size>,
    eval_count: Option<Size>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
    thinking: Option<String>,
}

pub fn read(payload: &[u8], counts: &mut Counts) -> Result<Meaning, NotUnderstood> {
    let message: Message = object(payload)?;
    if let Some(error) = message.error.filter(is_error) {
        return Ok(Meaning {
            error: Some(error_text(&error)),
            ..Meaning::default()
        });
    }
    let Some(is_end) = message.done else {
        return Err(NotUnderstood);
    };
    let said = message.said.map(|said| {
        (
            said.content.unwrap_or_default(),
            said.thinking.unwrap_or_default(),
        )
    });
    let (content, thinking) = said.unwrap_or_default();
    let text = message
        .response
        .filter(|text| !text.is_empty())
        .unwrap_or(content);
    let thinking = message.thinking.unwrap_or(thinking);
    let is_reasoning = text.is_empty() && !thinking.is_empty();
    let stop = match message.done_reason.as_deref() {
        Some("length") => Stop::Length,
        Some("stop") => Stop::EndOfSequence,
        _ => Stop::Unknown,
    };
    if is_end {
        counts.prompt = message.prompt_eval_count.map(u32::from).or(counts.prompt);
        let mark = u32::from(stop == Stop::EndOfSequence);
        counts.output = message
            .eval_count
            .map(|count| u32::from(count).saturating_sub(mark));
    }
    Ok(Meaning {
        text: if is_reasoning { thinking } else { text },
        is_reasoning,
        stop,
        is_end,
        is_last: is_end,
        has_figures: is_end,
        ..Meaning::default()
    })
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::dialect::{Counts, Stop};

    #[test]
    fn text_of_both_routes() {
        let mut counts = Counts::default();
        for payload in [
            r#"{"response":"a","done":false}"#,
            r#"{"message":{"role":"assistant","content":"a"},"done":false}"#,
        ] {
            let meaning = read(payload.as_bytes(), &mut counts).unwrap();
            assert_eq!(meaning.text, "a");
            assert!(!meaning.is_end && !meaning.is_reasoning);
        }
    }

    #[test]
    fn thinking_is_marked() {
        let mut counts = Counts::default();
        for payload in [
            r#"{"response":"","thinking":"hm","done":false}"#,
            r#"{"message":{"content":"","thinking":"hm"},"done":false}"#,
        ] {
            assert!(read(payload.as_bytes(), &mut counts).unwrap().is_reasoning);
        }
    }

    #[test]
    fn the_mark_that_ends_an_answer_is_no_token_of_it() {
        for (reason, tokens) in [("length", 9), ("stop", 8)] {
            let mut counts = Counts::default();
            let last = format!(
                r#"{{"response":"","done":true,"done_reason":"{reason}","prompt_eval_count":5,"eval_count":9}}"#
            );
            let meaning = read(last.as_bytes(), &mut counts).unwrap();
            assert!(meaning.is_end && meaning.has_figures && !meaning.has_content());
            assert_ne!(meaning.stop, Stop::Unknown);
            assert_eq!(
                counts,
                Counts {
                    prompt: Some(5),
                    output: Some(tokens)
                }
            );
        }
    }

    #[test]
    fn errors_and_what_is_no_message() {
        let mut counts = Counts::default();
        let error = read(br#"{"error":"model not found"}"#, &mut counts)
            .unwrap()
            .error;
        assert_eq!(error.unwrap(), "model not found");
        for payload in ["<html>", "{}", r#"{"models":[]}"#] {
            assert!(read(payload.as_bytes(), &mut counts).is_err(), "{payload}");
        }
    }
}
