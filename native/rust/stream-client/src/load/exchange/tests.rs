//! Whole answers of one request, and what is made of them.

use super::Exchange;
use crate::dialect::Dialect;
use crate::record::Arrival;

const HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const ONE: Arrival = Arrival {
    read_index: 1,
    ns: 10,
};

/// The exchange after a whole answer with these events.
fn after(events: &[&str]) -> Exchange {
    let mut exchange = Exchange::new(Dialect::OpenAiCompletions, 1 << 16, true);
    let body = format!("data: {}\n\n", events.join("\n\ndata: "));
    let answer = format!("{HEAD}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    assert!(exchange.take(answer.as_bytes(), ONE));
    exchange
}

fn tokens(exchange: &Exchange) -> Vec<u32> {
    exchange
        .answer
        .chunks
        .iter()
        .map(|chunk| chunk.tokens)
        .collect()
}

#[test]
fn an_empty_event_is_a_sign_of_life() {
    let found = after(&["", r#"{"choices":[{"text":"a"}]}"#, " ", "[DONE]"]);
    assert_eq!(found.answer.failure, None);
    assert_eq!(found.answer.text, "a");
}

#[test]
fn a_mark_that_is_counted_is_no_chunk() {
    let text = r#"{"choices":[{"text":"a"}]}"#;
    let end = r#"{"choices":[{"text":"","finish_reason":"stop"}]}"#;
    let usage = r#"{"choices":[],"usage":{"completion_tokens":3}}"#;
    assert_eq!(tokens(&after(&[text, text, end, usage, "[DONE]"])), [1, 1]);
    let length = r#"{"choices":[{"text":"","finish_reason":"length"}]}"#;
    assert_eq!(
        tokens(&after(&[text, text, length, usage, "[DONE]"])),
        [0, 0]
    );
}

#[test]
fn an_answer_that_said_its_end_is_whole_without_the_end_of_its_body() {
    let mut exchange = Exchange::new(Dialect::OpenAiCompletions, 1 << 16, true);
    let body = "data: {\"choices\":[{\"text\":\"a\"}]}\n\ndata: [DONE]\n\n";
    let answer = format!("{HEAD}{:x}\r\n{body}\r\n", body.len());
    assert!(!exchange.take(answer.as_bytes(), ONE));
    assert!(exchange.has_said_its_end());
    exchange.take_as_whole();
    assert_eq!(exchange.answer.failure, None);
    assert!(!exchange.is_kept_alive());
}
