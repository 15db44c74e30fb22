//! Whatever the network does to an answer, the same is understood; and nothing makes it panic.

use polystack_stream::dialect::{DIALECTS, Dialect};
use polystack_stream::load::exchange::Exchange;
use polystack_stream::record::Arrival;
use proptest::prelude::*;

const LIMIT: usize = 1 << 16;

/// What is understood of `answer`, cut at `cuts`.
fn understood(dialect: Dialect, answer: &[u8], cuts: &[usize]) -> (u16, String, String, usize) {
    let mut exchange = Exchange::new(dialect, LIMIT, true);
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (answer.len() + 1)).collect();
    cuts.extend([0, answer.len()]);
    cuts.sort_unstable();
    let mut is_over = false;
    for (read, pair) in (1..).zip(cuts.windows(2)) {
        let piece = &answer[pair[0]..pair[1]];
        if !piece.is_empty() && !is_over {
            is_over = exchange.take(
                piece,
                Arrival {
                    read_index: read,
                    ns: i64::from(read),
                },
            );
        }
    }
    if !is_over {
        exchange.take_end(Arrival {
            read_index: 0,
            ns: 0,
        });
    }
    let failure = exchange
        .answer
        .failure
        .as_ref()
        .map_or("", |failure| failure.kind.name());
    let answer = &exchange.answer;
    (
        exchange.status(),
        answer.text.clone(),
        failure.to_owned(),
        answer.chunks.len(),
    )
}

fn dialects() -> impl Strategy<Value = Dialect> {
    prop::sample::select(DIALECTS.map(|(_, dialect)| dialect).to_vec())
}

/// A stream of chunks with these texts, as a server of the dialect writes it.
fn stream_of(dialect: Dialect, texts: &[String]) -> Vec<u8> {
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
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
        Dialect::OpenAiCompletions | Dialect::OpenAiChat => "data: [DONE]\n\n".to_owned(),
        Dialect::LlamaCompletion => "data: {\"content\":\"\",\"stop\":true}\n\n".to_owned(),
        _ => "{\"done\":true}\n".to_owned(),
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
        let (status, text, failure, chunks) = understood(dialect, &answer, &cuts);
        prop_assert_eq!(failure, "");
        prop_assert_eq!(status, 200);
        prop_assert_eq!(text, texts.concat());
        prop_assert_eq!(chunks, texts.len());
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
            understood(dialect, &answer, &cuts).0,
            understood(dialect, &answer, &[]).0
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
