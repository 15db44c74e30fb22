//! The bytes of events, as real servers send them.
//!
//! Here are the protocols and how they frame a message; `event` writes the tokens, `ending` what
//! follows them.

mod ending;
mod event;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

pub use self::ending::Figures;
pub use self::event::Words;

/// The protocol of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `OpenAI`'s `/v1/completions`.
    Completions,
    /// `OpenAI`'s `/v1/chat/completions`.
    Chat,
    /// Ollama's `/api/generate`.
    OllamaGenerate,
    /// Ollama's `/api/chat`.
    OllamaChat,
    /// llama.cpp's `/completion`.
    Llama,
}

impl Dialect {
    /// The dialect that is spoken under `path`.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        match path {
            "/v1/completions" => Some(Self::Completions),
            "/v1/chat/completions" => Some(Self::Chat),
            "/api/generate" => Some(Self::OllamaGenerate),
            "/api/chat" => Some(Self::OllamaChat),
            "/completion" => Some(Self::Llama),
            _ => None,
        }
    }

    /// The media type of its streams.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        if self.is_lines() {
            "application/x-ndjson"
        } else {
            "text/event-stream"
        }
    }

    fn is_lines(self) -> bool {
        matches!(self, Self::OllamaGenerate | Self::OllamaChat)
    }

    /// What comes before the first token: a chunk that carries a role alone.
    #[must_use]
    pub fn role(self, number: u64) -> Option<Vec<u8>> {
        (self == Self::Chat).then(|| {
            let delta = json!({"role": "assistant", "content": ""});
            self.framed(&chat_chunk(number, &delta, None))
        })
    }

    /// An error in an answer that began well.
    #[must_use]
    pub fn error_event(self) -> Vec<u8> {
        let error = if self.is_lines() {
            json!({"error": "the model ran out of memory"})
        } else {
            json!({"error": {
                "message": "the model ran out of memory", "type": "server_error", "code": 500,
            }})
        };
        self.framed(&error)
    }

    /// `message` as an event.
    fn framed(self, message: &Value) -> Vec<u8> {
        if self.is_lines() {
            format!("{message}\n")
        } else {
            format!("data: {message}\n\n")
        }
        .into_bytes()
    }
}

fn chat_chunk(number: u64, delta: &Value, reason: Option<&str>) -> Value {
    json!({
        "id": format!("chatcmpl-{number}"), "object": "chat.completion.chunk", "created": 0,
        "model": "truth", "choices": [
            {"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason}
        ],
    })
}
