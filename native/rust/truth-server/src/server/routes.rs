//! Answers that are no streams.

use serde_json::json;

use crate::fault::Fault;
use crate::incoming::Request;

/// The answer to a request that asks for no tokens.
pub fn plain(request: &Request) -> Vec<u8> {
    let found = match request.path.as_str() {
        "/health" => json!({"status": "ok"}),
        "/v1/models" => json!({"object": "list", "data": [{"id": "truth", "object": "model"}]}),
        "/api/tags" => json!({"models": [{"name": "truth", "model": "truth"}]}),
        "/api/version" => json!({"version": env!("CARGO_PKG_VERSION")}),
        "/props" => json!({"model_path": "truth", "total_slots": 1}),
        path => return refusal(404, &format!("nothing is served under {path}"), ""),
    };
    json(200, &found.to_string())
}

/// The answer that a fault, or a wish we do not grant, gives in place of a stream.
pub fn in_place_of_a_stream(request: &Request, fault: Option<Fault>) -> Option<Vec<u8>> {
    match fault {
        Some(Fault::Status(429)) => Some(refusal(429, "too many requests", "retry-after: 2\r\n")),
        Some(Fault::Status(status)) => Some(refusal(status, "refused, as it was asked to", "")),
        Some(Fault::Html) => {
            let page = "<!doctype html><title>Welcome</title><p>It works!";
            Some(answer(200, "text/html", page, ""))
        }
        Some(Fault::Json) => Some(json(200, r#"{"detail":"no stream"}"#)),
        _ if !request.wants_stream() => Some(refusal(
            400,
            "this server streams only: ask with \"stream\": true",
            "",
        )),
        _ => None,
    }
}

/// A refusal with its reason, as `OpenAI`'s servers give it.
pub fn refusal(status: u16, reason: &str, headers: &str) -> Vec<u8> {
    let body = json!({"error": {"message": reason, "type": "error", "code": status}});
    answer(status, "application/json", &body.to_string(), headers)
}

/// A JSON text as an answer.
pub fn json(status: u16, body: &str) -> Vec<u8> {
    answer(status, "application/json", body, "")
}

fn answer(status: u16, kind: &str, body: &str, headers: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
