//! Messages as servers send them, and what is none.

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
