//! Whatever the network does to an answer, the same is understood; and nothing makes it panic.

use polystack_stream::dialect::{DIALECTS, Dialect, Stop};
use polystack_stream::load::exchange::read_load;
use proptest::prelude::*;

const LIMIT: usize = 1 << 16;

/// What is understood of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Understood {
    status: u16,
    text: String,
    failure: &'static str,
    chunks: Vec<u32>,
    tokens: Option<u32>,
    stop: Stop,
}

/// What is understood of `answer`, cut at `cuts`.
fn understood(dialect: Dialect, answer: &[u8], cuts: &[usize]) -> Understood {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (answer.len() + 1)).collect();
    cuts.extend([0, answer.len()]);
    cuts.sort_unstable();
    let pieces: Vec<&[u8]> = cuts
        .windows(2)
        .map(|pair| &answer[pair[0]..pair[1]])
        .collect();
    let exchange = read_load(&pieces, dialect, LIMIT);
    let failure = exchange.answer.failure.as_ref();
    let answer = &exchange.answer;
    Understood {
        status: exchange.status(),
        text: answer.text.clone(),
        failure: failure.map_or("", |failure| failure.kind.name()),
        chunks: answer.chunks.iter().map(|chunk| chunk.tokens).collect(),
        tokens: answer.output_tokens(),
        stop: answer.stop,
    }
}

fn dialects() -> impl Strategy<Value = Dialect> {
    prop::sample::select(DIALECTS.map(|(_, dialect)| dialect).to_vec())
}

/// A stream of chunks with these texts, as a server of the dialect writes it.
fn stream_of(dialect: Dialect, texts: &[String]) -> Vec<u8> {
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let count = texts.len();
    let mut add = |event: String| {
        answer.extend(format!("{:x}\r\n", event.len()).bytes());
        answer.extend(event.bytes());
        answer.extend(b"\r\n");
    };
    for text in texts {
        let text = serde_json::Value::from(text.as_str());
        add(match dialect {
            Dialect::OpenAiCompletions => {
                format!("data: {{\"choices\":[{{\"text\":{text}}}]}}\n\n")
            }
            Dialect::OpenAiChat => {
                format!("data: {{\"choices\":[{{\"delta\":{{\"content\":{text}}}}}]}}\r\n\r\n")
            }
            Dialect::OllamaGenerate => format!("{{\"response\":{text},\"done\":false}}\n"),
            Dialect::OllamaChat => {
                format!("{{\"message\":{{\"content\":{text}}},\"done\":false}}\r\n")
            }
            Dialect::LlamaCompletion => format!("data: {{\"content\":{text},\"stop\":false}}\n\n"),
        });
    }
    add(match dialect {
        Dialect::OpenAiCompletions | Dialect::OpenAiChat => format!(
            "data: {{\"choices\":[{{\"finish_reason\":\"length\"}}],\
             \"usage\":{{\"completion_tokens\":{count}}}}}\n\ndata: [DONE]\n\n"
        ),
        Dialect::LlamaCompletion => format!(
            "data: {{\"content\":\"\",\"stop\":true,\"stop_type\":\"limit\",\
             \"tokens_predicted\":{count}}}\n\n"
        ),
        _ => format!("{{\"done\":true,\"done_reason\":\"length\",\"eval_count\":{count}}}\n"),
    });
    answer.extend(b"0\r\n\r\n");
    answer
}

proptest! {
    #[test]
    fn a_good_answer_is_the_same_however_it_is_cut(
        dialect in dialects(),
        texts in prop::collection::vec("[a-zäß漢😀\\n\"\\\\]{1,6}", 1..6),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let answer = stream_of(dialect, &texts);
        let found = understood(dialect, &answer, &cuts);
        let expected = Understood {
            status: 200,
            text: texts.concat(),
            failure: "",
            chunks: vec![1; texts.len()],
            tokens: u32::try_from(texts.len()).ok(),
            stop: Stop::Length,
        };
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_spoilt_answer_is_judged_the_same_however_it_is_cut(
        dialect in dialects(),
        texts in prop::collection::vec("[a-z]{1,4}", 1..4),
        spoil in prop::collection::vec((any::<usize>(), any::<u8>()), 1..5),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let mut answer = stream_of(dialect, &texts);
        for (place, byte) in spoil {
            let length = answer.len();
            answer[place % length] = byte;
        }
        prop_assert_eq!(
            understood(dialect, &answer, &cuts),
            understood(dialect, &answer, &[])
        );
    }

    #[test]
    fn no_bytes_make_it_panic(
        dialect in dialects(),
        begins_well in any::<bool>(),
        noise in prop::collection::vec(any::<u8>(), 0..400),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let mut answer = Vec::new();
        if begins_well {
            answer.extend(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        }
        answer.extend(noise);
        understood(dialect, &answer, &cuts);
    }
}
