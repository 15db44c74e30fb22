//! What an event of a stream means: text, tokens, the end, an error; one file a protocol.

mod llama;
mod ollama;
mod openai;
mod strict;

use serde_json::Value;

use crate::framing::Framing;

/// The protocols of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `OpenAI`'s `/v1/completions`.
    OpenAiCompletions,
    /// `OpenAI`'s `/v1/chat/completions`.
    OpenAiChat,
    /// Ollama's `/api/generate`.
    OllamaGenerate,
    /// Ollama's `/api/chat`.
    OllamaChat,
    /// llama.cpp's `/completion`.
    LlamaCompletion,
}

/// Every dialect by the name that the workbench gives it.
pub const DIALECTS: [(&str, Dialect); 5] = [
    ("openai-completions", Dialect::OpenAiCompletions),
    ("openai-chat", Dialect::OpenAiChat),
    ("ollama-generate", Dialect::OllamaGenerate),
    ("ollama-chat", Dialect::OllamaChat),
    ("llama-completion", Dialect::LlamaCompletion),
];

impl Dialect {
    /// The dialect called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        DIALECTS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, dialect)| *dialect)
    }

    /// How its streams are cut into events.
    #[must_use]
    pub fn framing(self) -> Framing {
        match self {
            Self::OllamaGenerate | Self::OllamaChat => Framing::Ndjson,
            _ => Framing::Sse,
        }
    }

    /// What the event `payload` means; `counts` carries what the stream has said before.
    ///
    /// # Errors
    /// It is no message of this dialect.
    pub fn read(self, payload: &[u8], counts: &mut Counts) -> Result<Meaning, NotUnderstood> {
        // The workbench's own readers are as strict: `python_runner/engines/served/message.py`.
        match self {
            Self::OpenAiCompletions | Self::OpenAiChat => openai::read(payload, counts),
            Self::OllamaGenerate | Self::OllamaChat => ollama::read(payload, counts),
            Self::LlamaCompletion => llama::read(payload, counts),
        }
    }
}

/// Why an answer ended, as the server says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// It does not say.
    #[default]
    Unknown,
    /// The number of tokens that was asked for.
    Length,
    /// The model ended its answer.
    EndOfSequence,
}

/// Token counts of one answer, as far as its stream has told them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens of the prompt.
    pub prompt: Option<u32>,
    /// Tokens of the answer: running, or in all.
    pub output: Option<u32>,
}

impl Counts {
    /// A running total: how many tokens are new since the last one.
    fn advance(&mut self, total: u32) -> u32 {
        let before = self.output.replace(total).unwrap_or(0);
        total.saturating_sub(before)
    }
}

/// What one event says.
#[allow(
    clippy::struct_excessive_bools,
    reason = "facts of an event that have nothing to do with each other"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// Text that it carries; empty for a role, a figure, a sign of life.
    pub text: String,
    /// Whether the text is the model's reasoning.
    pub is_reasoning: bool,
    /// Tokens in it; 0 if that is not known.
    pub tokens: u32,
    /// Why the answer ended, if it says so.
    pub stop: Stop,
    /// The answer is over: a mark, a reason or a last message.
    pub is_end: bool,
    /// Nothing may follow: a mark or a last message.
    pub is_last: bool,
    /// It carries the server's own figures: usage, timings, durations.
    pub has_figures: bool,
    /// The error that it reports.
    pub error: Option<String>,
}

impl Meaning {
    /// Whether a user would see that a token has come.
    #[must_use]
    pub fn has_content(&self) -> bool {
        !self.text.is_empty() || self.tokens > 0
    }
}

/// An event is no message of the dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUnderstood;

impl From<serde_json::Error> for NotUnderstood {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

/// Whether a field `error` reports one: some servers send an empty one with each event.
fn is_error(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

/// The text of an error, which servers give as a string or as an object with a `message`.
fn error_text(error: &Value) -> String {
    let message = error.get("message").unwrap_or(error);
    message
        .as_str()
        .map_or_else(|| message.to_string(), str::to_owned)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
