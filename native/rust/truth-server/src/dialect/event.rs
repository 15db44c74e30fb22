//! The events that carry tokens. They are written while times count: straight into the bytes
//! that are sent, without an allocation.

use std::io::Write;

use super::Dialect;

const WORDS: [&str; 8] = [
    "river", "stone", "light", "field", "paper", "north", "seven", "green",
];

/// The words that stand for tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// Eight of them in turn, in every answer the same.
    InTurn,
    /// Each token has one of its own: the request's number and the token's, both from 0.
    Numbered,
}

impl Dialect {
    /// Append an event with `tokens` tokens; `sent` were sent before. Nothing is allocated.
    pub fn write_event(self, words: Words, number: u64, sent: u32, tokens: u32, out: &mut Vec<u8>) {
        self.open_event(number, out);
        words.write(number, sent, tokens, out);
        self.close_event(sent, tokens, out);
    }

    /// What stands before the text.
    fn open_event(self, number: u64, out: &mut Vec<u8>) {
        // Writing into memory cannot fail.
        let _ = match self {
            Self::Completions => write!(
                out,
                "data: {{\"id\":\"cmpl-{number}\",\"object\":\"text_completion\",\"created\":0,\
                 \"model\":\"truth\",\"choices\":[{{\"index\":0,\"text\":\""
            ),
            Self::Chat => write!(
                out,
                "data: {{\"id\":\"chatcmpl-{number}\",\"object\":\"chat.completion.chunk\",\
                 \"created\":0,\"model\":\"truth\",\"choices\":[{{\"index\":0,\"delta\":\
                 {{\"content\":\""
            ),
            Self::OllamaGenerate => out.write_all(
                b"{\"model\":\"truth\",\"created_at\":\"2026-01-01T00:00:00Z\",\"response\":\"",
            ),
            Self::OllamaChat => out.write_all(
                b"{\"model\":\"truth\",\"created_at\":\"2026-01-01T00:00:00Z\",\
                  \"message\":{\"role\":\"assistant\",\"content\":\"",
            ),
            Self::Llama => out.write_all(b"data: {\"index\":0,\"content\":\""),
        };
    }

    /// What stands after the text.
    fn close_event(self, sent: u32, tokens: u32, out: &mut Vec<u8>) {
        let _ = match self {
            Self::Completions => {
                out.write_all(b"\",\"logprobs\":null,\"finish_reason\":null}]}\n\n")
            }
            Self::Chat => out.write_all(b"\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n"),
            Self::OllamaGenerate => out.write_all(b"\",\"done\":false}\n"),
            Self::OllamaChat => out.write_all(b"\"},\"done\":false}\n"),
            Self::Llama => {
                out.extend_from_slice(b"\",\"tokens\":[");
                for index in 0..tokens {
                    let comma = if index == 0 { "" } else { "," };
                    let _ = write!(out, "{comma}{}", sent + index);
                }
                write!(
                    out,
                    "],\"stop\":false,\"id_slot\":-1,\"tokens_predicted\":{},\
                     \"tokens_evaluated\":0}}\n\n",
                    sent + tokens
                )
            }
        };
    }
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
