//! The bytes of events, as real servers send them.

use std::io::Write;

use serde_json::json;

const WORDS: [&str; 8] = [
    "river", "stone", "light", "field", "paper", "north", "seven", "green",
];

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

/// The words that stand for tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// Eight of them in turn, in every answer the same.
    InTurn,
    /// Each token has one of its own: the request's number and the token's, both from 0.
    Numbered,
}

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
            self.framed(&chat_chunk(number, &delta, None).to_string())
        })
    }

    /// Append an event with `tokens` tokens; `sent` were sent before. Nothing is allocated.
    pub fn write_event(self, words: Words, number: u64, sent: u32, tokens: u32, out: &mut Vec<u8>) {
        // Writing into memory cannot fail.
        let _ = match self {
            Self::Completions => {
                let _ = write!(
                    out,
                    "data: {{\"id\":\"cmpl-{number}\",\"object\":\"text_completion\",\"created\":0,\"model\":\"truth\",\"choices\":[{{\"index\":0,\"text\":\""
                );
                words.write(number, sent, tokens, out);
                write!(out, "\",\"logprobs\":null,\"finish_reason\":null}}]}}\n\n")
            }
            Self::Chat => {
                let _ = write!(
                    out,
                    "data: {{\"id\":\"chatcmpl-{number}\",\"object\":\"chat.completion.chunk\",\"created\":0,\"model\":\"truth\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\""
                );
                words.write(number, sent, tokens, out);
                write!(
                    out,
                    "\"}},\"logprobs\":null,\"finish_reason\":null}}]}}\n\n"
                )
            }
            Self::OllamaGenerate => {
                let _ = write!(
                    out,
                    "{{\"model\":\"truth\",\"created_at\":\"2026-01-01T00:00:00Z\",\"response\":\""
                );
                words.write(number, sent, tokens, out);
                writeln!(out, "\",\"done\":false}}")
            }
            Self::OllamaChat => {
                let _ = write!(
                    out,
                    "{{\"model\":\"truth\",\"created_at\":\"2026-01-01T00:00:00Z\",\"message\":{{\"role\":\"assistant\",\"content\":\""
                );
                words.write(number, sent, tokens, out);
                writeln!(out, "\"}},\"done\":false}}")
            }
            Self::Llama => {
                let _ = write!(out, "data: {{\"index\":0,\"content\":\"");
                words.write(number, sent, tokens, out);
                let _ = write!(out, "\",\"tokens\":[");
                for index in 0..tokens {
                    let comma = if index == 0 { "" } else { "," };
                    let _ = write!(out, "{comma}{}", sent + index);
                }
                write!(
                    out,
                    "],\"stop\":false,\"id_slot\":-1,\"tokens_predicted\":{},\"tokens_evaluated\":0}}\n\n",
                    sent + tokens
                )
            }
        };
    }

    /// What follows the last token: the reason, the counts, the mark.
    #[must_use]
    pub fn ending(self, figures: &Figures, with_usage: bool, with_mark: bool) -> Vec<u8> {
        let Figures {
            number,
            prompt_tokens,
            output_tokens,
            ..
        } = *figures;
        let usage = json!({
            "prompt_tokens": prompt_tokens,
            "completion_tokens": output_tokens,
            "total_tokens": prompt_tokens + output_tokens as usize,
        });
        let mut out = Vec::new();
        let mut add = |message: &serde_json::Value| out.extend(self.framed(&message.to_string()));
        match self {
            Self::Completions | Self::Chat => {
                let is_chat = self == Self::Chat;
                if with_mark {
                    let last = if is_chat {
                        chat_chunk(number, &json!({}), Some("length"))
                    } else {
                        json!({"id": format!("cmpl-{number}"), "object": "text_completion", "created": 0, "model": "truth", "choices": [{"index": 0, "text": "", "logprobs": null, "finish_reason": "length"}]})
                    };
                    add(&last);
                }
                if with_usage {
                    let prefix = if is_chat { "chatcmpl" } else { "cmpl" };
                    let kind = if is_chat {
                        "chat.completion.chunk"
                    } else {
                        "text_completion"
                    };
                    add(
                        &json!({"id": format!("{prefix}-{number}"), "object": kind, "created": 0, "model": "truth", "choices": [], "usage": usage}),
                    );
                }
                if with_mark {
                    out.extend_from_slice(b"data: [DONE]\n\n");
                }
            }
            Self::OllamaGenerate | Self::OllamaChat if with_mark => {
                let mut last = json!({"model": "truth", "created_at": "2026-01-01T00:00:00Z", "done": true, "done_reason": "length", "total_duration": figures.first_ns + figures.decode_ns, "load_duration": 0, "prompt_eval_count": prompt_tokens, "prompt_eval_duration": figures.first_ns, "eval_count": output_tokens, "eval_duration": figures.decode_ns});
                if self == Self::OllamaGenerate {
                    last["response"] = json!("");
                } else {
                    last["message"] = json!({"role": "assistant", "content": ""});
                }
                add(&last);
            }
            Self::Llama if with_mark => {
                let ms = |ns: i64| {
                    #[allow(clippy::cast_precision_loss, reason = "milliseconds")]
                    let ms = ns as f64 / 1e6;
                    ms
                };
                add(
                    &json!({"index": 0, "content": "", "tokens": [], "id_slot": 0, "stop": true, "stop_type": "limit", "model": "truth", "tokens_predicted": output_tokens, "tokens_evaluated": prompt_tokens, "truncated": false, "tokens_cached": 0, "timings": {"cache_n": 0, "prompt_n": prompt_tokens, "prompt_ms": ms(figures.first_ns), "predicted_n": output_tokens, "predicted_ms": ms(figures.decode_ns)}}),
                );
            }
            _ => {}
        }
        out
    }

    /// An error in an answer that began well.
    #[must_use]
    pub fn error_event(self) -> Vec<u8> {
        let error = if self.is_lines() {
            json!({"error": "the model ran out of memory"})
        } else {
            json!({"error": {"message": "the model ran out of memory", "type": "server_error", "code": 500}})
        };
        self.framed(&error.to_string())
    }

    /// `message` as an event.
    fn framed(self, message: &str) -> Vec<u8> {
        if self.is_lines() {
            format!("{message}\n")
        } else {
            format!("data: {message}\n\n")
        }
        .into_bytes()
    }
}

fn chat_chunk(number: u64, delta: &serde_json::Value, reason: Option<&str>) -> serde_json::Value {
    json!({"id": format!("chatcmpl-{number}"), "object": "chat.completion.chunk", "created": 0, "model": "truth", "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason}]})
}

impl Words {
    /// A word for each token of request `number`.
    fn write(self, number: u64, sent: u32, tokens: u32, out: &mut Vec<u8>) {
        for index in sent..sent + tokens {
            out.push(b' ');
            match self {
                Self::InTurn => {
                    out.extend_from_slice(WORDS[index as usize % WORDS.len()].as_bytes());
                }
                Self::Numbered => {
                    let _ = write!(out, "{number}.{index}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use polystack_stream::dialect::{Counts, Dialect as Read, Stop};

    use super::{Dialect, Figures, Words};

    const FIGURES: Figures = Figures {
        number: 3,
        prompt_tokens: 5,
        output_tokens: 4,
        first_ns: 50,
        decode_ns: 30,
    };
    const ALL: [(Dialect, Read); 5] = [
        (Dialect::Completions, Read::OpenAiCompletions),
        (Dialect::Chat, Read::OpenAiChat),
        (Dialect::OllamaGenerate, Read::OllamaGenerate),
        (Dialect::OllamaChat, Read::OllamaChat),
        (Dialect::Llama, Read::LlamaCompletion),
    ];

    /// All meanings in `bytes`, as the client reads them.
    fn read(
        dialect: Read,
        bytes: &[u8],
        counts: &mut Counts,
    ) -> Vec<polystack_stream::dialect::Meaning> {
        let mut found = Vec::new();
        let mut parser = dialect.framing().parser(1 << 20);
        parser
            .push(bytes, &mut |payload| {
                found.push(dialect.read(payload, counts).unwrap());
            })
            .unwrap();
        found
    }

    #[test]
    fn the_client_understands_every_dialect() {
        for (written, read_as) in ALL {
            let mut counts = Counts::default();
            let mut bytes = written.role(3).unwrap_or_default();
            written.write_event(Words::InTurn, 3, 0, 1, &mut bytes);
            written.write_event(Words::InTurn, 3, 1, 3, &mut bytes);
            bytes.extend(written.ending(&FIGURES, true, true));
            let meanings = read(read_as, &bytes, &mut counts);
            let texts: Vec<&str> = meanings
                .iter()
                .filter(|meaning| meaning.has_content())
                .map(|meaning| meaning.text.as_str())
                .collect();
            assert_eq!(texts, [" river", " stone light field"], "{written:?}");
            assert_eq!(
                counts,
                Counts {
                    prompt: Some(5),
                    output: Some(4)
                },
                "{written:?}"
            );
            assert!(
                meanings.iter().any(|meaning| meaning.stop == Stop::Length),
                "{written:?}"
            );
            assert!(meanings.last().unwrap().is_end, "{written:?}");
        }
    }

    #[test]
    fn numbered_words_say_whose_token_each_is() {
        let mut bytes = Vec::new();
        Dialect::Completions.write_event(Words::Numbered, 17, 3, 2, &mut bytes);
        let meanings = read(Read::OpenAiCompletions, &bytes, &mut Counts::default());
        assert_eq!(meanings[0].text, " 17.3 17.4");
    }

    #[test]
    fn an_error_is_understood_as_one() {
        for (written, read_as) in ALL {
            let meanings = read(read_as, &written.error_event(), &mut Counts::default());
            assert!(
                meanings[0].error.as_ref().unwrap().contains("memory"),
                "{written:?}"
            );
        }
    }

    #[test]
    fn without_its_mark_no_end_is_seen() {
        for (written, read_as) in ALL {
            let bytes = written.ending(&FIGURES, false, false);
            assert!(
                read(read_as, &bytes, &mut Counts::default()).is_empty(),
                "{written:?}"
            );
        }
    }
}
