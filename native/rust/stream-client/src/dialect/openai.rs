//! `OpenAI`'s protocol and what servers have added to it.
//!
//! Seen besides the plain chunks: a first chunk with a role and no content; usage in an event
//! of its own, without choices, or running in every chunk (`continuous_usage_stats`); the ids
//! of a chunk's tokens (`token_ids`); log-probabilities of one token in place of a list
//! (mistral.rs), also where that token has no text; reasoning under two names; an error object
//! in an answer that began well.

use serde::Deserialize;
use serde_json::Value;

use super::strict::{Size, object};
use super::{Counts, Meaning, NotUnderstood, Stop, error_text, is_error};

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    usage: Option<Usage>,
    error: Option<Value>,
    timings: Option<Timings>,
    object: Option<Value>,
    id: Option<serde::de::IgnoredAny>,
    /// Of an error that is the whole object.
    message: Option<Value>,
}

impl Chunk {
    fn error(&mut self) -> Option<String> {
        let named = self.error.take().filter(is_error);
        let is_one = self.object.as_ref().is_some_and(|kind| kind == "error");
        let whole = || self.message.take().unwrap_or_else(|| "error".into());
        named
            .or_else(|| is_one.then(whole))
            .map(|said| error_text(&said))
    }
}

#[derive(Deserialize)]
struct Choice {
    text: Option<String>,
    delta: Option<Delta>,
    finish_reason: Option<String>,
    token_ids: Option<Vec<serde::de::IgnoredAny>>,
    logprobs: Option<Logprobs>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
    reasoning_content: Option<String>,
    reasoning: Option<String>,
}

#[derive(Deserialize)]
struct Logprobs {
    tokens: Option<Vec<serde::de::IgnoredAny>>,
    content: Option<Vec<serde::de::IgnoredAny>>,
    token: Option<serde::de::IgnoredAny>,
}

impl Logprobs {
    /// How many tokens they are of, if they say.
    fn tokens(self) -> Option<usize> {
        let one = self.token.map(|_| 1);
        self.tokens
            .or(self.content)
            .map_or(one, |all| Some(all.len()))
    }
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<Size>,
    completion_tokens: Option<Size>,
}

/// llama.cpp's server adds these to its last chunk, also where it was not asked for usage.
#[derive(Deserialize)]
struct Timings {
    #[serde(rename = "cache_n")]
    cached: Option<Size>,
    #[serde(rename = "prompt_n")]
    computed: Option<Size>,
    #[serde(rename = "predicted_n")]
    predicted: Option<Size>,
}

pub fn read(payload: &[u8], counts: &mut Counts) -> Result<Meaning, NotUnderstood> {
    if payload.trim_ascii() == b"[DONE]" {
        return Ok(Meaning {
            is_end: true,
            is_last: true,
            ..Meaning::default()
        });
    }
    let mut chunk: Chunk = object(payload)?;
    if let Some(error) = chunk.error() {
        return Ok(Meaning {
            error: Some(error),
            ..Meaning::default()
        });
    }
    let is_message = chunk.choices.is_some() || chunk.usage.is_some();
    if !is_message && chunk.object.is_none() && chunk.id.is_none() {
        return Err(NotUnderstood);
    }
    let choices = chunk.choices.unwrap_or_default();
    let mut meaning = choices
        .into_iter()
        .next()
        .map(meaning_of)
        .unwrap_or_default();
    if let Some(usage) = chunk.usage {
        meaning.has_figures = true;
        counts.prompt = usage.prompt_tokens.map(u32::from).or(counts.prompt);
        if let Some(total) = usage.completion_tokens {
            let new = counts.advance(total.into());
            // Running usage tells of this chunk; the total at the end of no chunk at all.
            if meaning.tokens == 0 && !meaning.text.is_empty() {
                meaning.tokens = new;
            }
        }
    }
    if let Some(timings) = chunk.timings {
        meaning.has_figures = true;
        let prompt = timings
            .computed
            .map(|computed| u32::from(computed) + timings.cached.map_or(0, u32::from));
        counts.prompt = counts.prompt.or(prompt);
        counts.output = counts.output.or(timings.predicted.map(u32::from));
    }
    Ok(meaning)
}

fn meaning_of(choice: Choice) -> Meaning {
    let known = [
        choice.token_ids.map(|ids| ids.len()),
        choice.logprobs.and_then(Logprobs::tokens),
    ];
    let delta = choice.delta.map(|delta| {
        let reasoning = delta.reasoning_content.or(delta.reasoning);
        (
            delta.content.unwrap_or_default(),
            reasoning.unwrap_or_default(),
        )
    });
    let (content, reasoning) = delta.unwrap_or_default();
    let text = choice.text.unwrap_or(content);
    let is_reasoning = text.is_empty() && !reasoning.is_empty();
    Meaning {
        text: if is_reasoning { reasoning } else { text },
        is_reasoning,
        tokens: known.into_iter().flatten().next().map_or(0, super::count),
        stop: match choice.finish_reason.as_deref() {
            Some("length") => Stop::Length,
            Some("stop" | "eos_token") => Stop::EndOfSequence,
            _ => Stop::Unknown,
        },
        is_end: choice.finish_reason.is_some(),
        ..Meaning::default()
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::dialect::{Counts, Meaning, Stop};

    fn one(payload: &str) -> Meaning {
        read(payload.as_bytes(), &mut Counts::default()).unwrap()
    }

    #[test]
    fn a_completion_chunk() {
        let meaning = one(r#"{"id":"c","choices":[{"text":" a\n","finish_reason":null}]}"#);
        assert_eq!(meaning.text, " a\n");
        assert_eq!(meaning.tokens, 0);
        assert!(meaning.has_content() && !meaning.is_end);
    }

    #[test]
    fn a_role_alone_is_no_content() {
        for delta in [
            r#"{"role":"assistant"}"#,
            r#"{"role":"assistant","content":""}"#,
            "{}",
        ] {
            let meaning = one(&format!(r#"{{"choices":[{{"delta":{delta}}}]}}"#));
            assert!(!meaning.has_content(), "{delta}");
        }
    }

    #[test]
    fn reasoning_counts_and_is_marked() {
        for name in ["reasoning_content", "reasoning"] {
            let meaning = one(&format!(r#"{{"choices":[{{"delta":{{"{name}":"hm"}}}}]}}"#));
            assert!(meaning.is_reasoning && meaning.has_content());
        }
        assert!(!one(r#"{"choices":[{"delta":{"content":"x"}}]}"#).is_reasoning);
    }

    #[test]
    fn tokens_of_a_chunk_where_they_are_told() {
        assert_eq!(
            one(r#"{"choices":[{"text":"ab","token_ids":[1,2,3,4]}]}"#).tokens,
            4
        );
        assert_eq!(
            one(r#"{"choices":[{"text":"ab","logprobs":{"tokens":["a","b"]}}]}"#).tokens,
            2
        );
        let chat = r#"{"choices":[{"delta":{"content":"ab"},"logprobs":{"content":[{},{}]}}]}"#;
        assert_eq!(one(chat).tokens, 2);
        let single = r#"{"choices":[{"delta":{"content":""},"logprobs":{"token":"","top_logprobs":[{"token":7}]}}]}"#;
        assert_eq!(one(single).tokens, 1);
        assert!(one(single).has_content());
    }

    #[test]
    fn running_usage_tells_of_each_chunk() {
        let mut counts = Counts::default();
        let mut tokens = Vec::new();
        for total in [1, 4, 5] {
            let chunk = format!(
                r#"{{"choices":[{{"text":"x"}}],"usage":{{"prompt_tokens":7,"completion_tokens":{total}}}}}"#
            );
            tokens.push(read(chunk.as_bytes(), &mut counts).unwrap().tokens);
        }
        assert_eq!(tokens, [1, 3, 1]);
        assert_eq!(
            counts,
            Counts {
                prompt: Some(7),
                output: Some(5)
            }
        );
    }

    #[test]
    fn usage_at_the_end_belongs_to_no_chunk() {
        let mut counts = Counts::default();
        let last = br#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":9}}"#;
        let meaning = read(last, &mut counts).unwrap();
        assert!(meaning.has_figures && !meaning.has_content());
        assert_eq!(counts.output, Some(9));
    }

    #[test]
    fn timings_stand_in_for_usage() {
        let mut counts = Counts::default();
        let last = br#"{"choices":[{"text":"","finish_reason":"length"}],"timings":{"cache_n":2,"prompt_n":5,"predicted_n":9}}"#;
        assert!(read(last, &mut counts).unwrap().has_figures);
        assert_eq!(
            counts,
            Counts {
                prompt: Some(7),
                output: Some(9)
            }
        );
    }

    #[test]
    fn ends() {
        assert!(one("[DONE]").is_end);
        let length = one(r#"{"choices":[{"text":"","finish_reason":"length"}]}"#);
        assert!(length.is_end && length.stop == Stop::Length);
        let stop = one(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#);
        assert_eq!(stop.stop, Stop::EndOfSequence);
    }

    #[test]
    fn an_error_in_the_stream() {
        assert_eq!(
            one(r#"{"error":{"message":"out of memory"}}"#)
                .error
                .unwrap(),
            "out of memory"
        );
        assert_eq!(one(r#"{"error":"busy"}"#).error.unwrap(), "busy");
        assert_eq!(
            one(r#"{"object":"error","message":"busy","code":503}"#)
                .error
                .unwrap(),
            "busy"
        );
    }

    #[test]
    fn an_empty_error_is_none() {
        for error in ["null", "false", r#""""#, "{}"] {
            let payload = format!(r#"{{"choices":[{{"text":"a"}}],"error":{error}}}"#);
            assert_eq!(one(&payload).error, None, "{error}");
        }
    }

    #[test]
    fn counts_that_are_none() {
        for count in ["-1", "1.5", "true", "4294967295", "99999999999999999999"] {
            let payload = format!(r#"{{"choices":[],"usage":{{"prompt_tokens":{count}}}}}"#);
            let found = read(payload.as_bytes(), &mut Counts::default());
            assert!(found.is_err(), "{count}");
        }
    }

    #[test]
    fn what_is_no_message() {
        for payload in ["", "<html>", "[]", "3", r#"{"detail":"Not Found"}"#] {
            assert!(
                read(payload.as_bytes(), &mut Counts::default()).is_err(),
                "{payload}"
            );
        }
    }
}
