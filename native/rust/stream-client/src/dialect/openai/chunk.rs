//! A chunk as its JSON has it: the fields that are read, all of which may be missing.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::dialect::strict::Size;
use crate::dialect::{error_text, is_error};

#[derive(Deserialize)]
pub(super) struct Chunk {
    #[serde(default)]
    pub(super) choices: Option<Vec<Choice>>,
    pub(super) usage: Option<Usage>,
    error: Option<Value>,
    pub(super) timings: Option<Timings>,
    pub(super) object: Option<Value>,
    pub(super) id: Option<IgnoredAny>,
    /// Of an error that is the whole object.
    message: Option<Value>,
}

impl Chunk {
    /// The error that it reports, in words.
    pub(super) fn error(&mut self) -> Option<String> {
        let named = self.error.take().filter(is_error);
        let is_one = self.object.as_ref().is_some_and(|kind| kind == "error");
        let whole = || self.message.take().unwrap_or_else(|| "error".into());
        named
            .or_else(|| is_one.then(whole))
            .map(|said| error_text(&said))
    }
}

#[derive(Deserialize)]
pub(super) struct Choice {
    pub(super) text: Option<String>,
    pub(super) delta: Option<Delta>,
    pub(super) finish_reason: Option<String>,
    pub(super) token_ids: Option<Vec<IgnoredAny>>,
    pub(super) logprobs: Option<Logprobs>,
}

#[derive(Deserialize)]
pub(super) struct Delta {
    pub(super) content: Option<String>,
    pub(super) reasoning_content: Option<String>,
    pub(super) reasoning: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Logprobs {
    tokens: Option<Vec<IgnoredAny>>,
    content: Option<Vec<IgnoredAny>>,
    token: Option<IgnoredAny>,
}

impl Logprobs {
    /// How many tokens they are of, if they say.
    pub(super) fn tokens(self) -> Option<usize> {
        let one = self.token.map(|_| 1);
        self.tokens
            .or(self.content)
            .map_or(one, |all| Some(all.len()))
    }
}

#[derive(Deserialize)]
pub(super) struct Usage {
    pub(super) prompt_tokens: Option<Size>,
    pub(super) completion_tokens: Option<Size>,
}

/// llama.cpp's server adds these to its last chunk, also where it was not asked for usage.
#[derive(Deserialize)]
pub(super) struct Timings {
    #[serde(rename = "cache_n")]
    pub(super) cached: Option<Size>,
    #[serde(rename = "prompt_n")]
    pub(super) computed: Option<Size>,
    #[serde(rename = "predicted_n")]
    pub(super) predicted: Option<Size>,
}
