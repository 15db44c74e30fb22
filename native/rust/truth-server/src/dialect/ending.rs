//! What follows the last token: the reason, the counts, the mark.

use serde_json::{Value, json};

use super::{Dialect, chat_chunk};

/// What the messages of one answer have in common.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Number of the request.
    pub number: u64,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// From the request to the first event, in ns.
    pub first_ns: i64,
    /// From the first event to the last, in ns.
    pub decode_ns: i64,
}

impl Dialect {
    /// What follows the last token: the reason, the counts, the mark.
    #[must_use]
    pub fn ending(self, figures: &Figures, with_usage: bool, with_mark: bool) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Completions | Self::Chat => {
                if with_mark {
                    out.extend(self.framed(&self.last_chunk(figures.number)));
                }
                if with_usage {
                    out.extend(self.framed(&self.usage_chunk(figures)));
                }
                if with_mark {
                    out.extend_from_slice(b"data: [DONE]\n\n");
                }
            }
            Self::OllamaGenerate | Self::OllamaChat if with_mark => {
                out.extend(self.framed(&self.last_line(figures)));
            }
            Self::Llama if with_mark => out.extend(self.framed(&last_of_llama(figures))),
            _ => {}
        }
        out
    }

    /// `OpenAI`'s: the reason.
    fn last_chunk(self, number: u64) -> Value {
        if self == Self::Chat {
            return chat_chunk(number, &json!({}), Some("length"));
        }
        json!({
            "id": format!("cmpl-{number}"), "object": "text_completion", "created": 0,
            "model": "truth", "choices": [
                {"index": 0, "text": "", "logprobs": null, "finish_reason": "length"}
            ],
        })
    }

    /// `OpenAI`'s: the counts.
    fn usage_chunk(self, figures: &Figures) -> Value {
        let (prefix, kind) = if self == Self::Chat {
            ("chatcmpl", "chat.completion.chunk")
        } else {
            ("cmpl", "text_completion")
        };
        let usage = json!({
            "prompt_tokens": figures.prompt_tokens,
            "completion_tokens": figures.output_tokens,
            "total_tokens": figures.prompt_tokens + figures.output_tokens as usize,
        });
        json!({
            "id": format!("{prefix}-{}", figures.number), "object": kind, "created": 0,
            "model": "truth", "choices": [], "usage": usage,
        })
    }

    /// Ollama's: all in one.
    fn last_line(self, figures: &Figures) -> Value {
        let mut last = json!({
            "model": "truth", "created_at": "2026-01-01T00:00:00Z",
            "done": true, "done_reason": "length",
            "total_duration": figures.first_ns + figures.decode_ns, "load_duration": 0,
            "prompt_eval_count": figures.prompt_tokens, "prompt_eval_duration": figures.first_ns,
            "eval_count": figures.output_tokens, "eval_duration": figures.decode_ns,
        });
        if self == Self::OllamaGenerate {
            last["response"] = json!("");
        } else {
            last["message"] = json!({"role": "assistant", "content": ""});
        }
        last
    }
}

/// llama.cpp's: all in one.
fn last_of_llama(figures: &Figures) -> Value {
    json!({
        "index": 0, "content": "", "tokens": [], "id_slot": 0, "stop": true,
        "stop_type": "limit", "model": "truth", "truncated": false,
        "tokens_predicted": figures.output_tokens, "tokens_evaluated": figures.prompt_tokens,
        "tokens_cached": 0, "timings": {
            "cache_n": 0,
            "prompt_n": figures.prompt_tokens, "prompt_ms": milliseconds(figures.first_ns),
            "predicted_n": figures.output_tokens, "predicted_ms": milliseconds(figures.decode_ns),
        },
    })
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds")]
fn milliseconds(ns: i64) -> f64 {
    ns as f64 / 1e6
}
