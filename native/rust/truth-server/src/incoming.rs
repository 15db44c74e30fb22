//! Requests, from the bytes as they come.

use httparse::{EMPTY_HEADER, Status};
use serde_json::Value;

const MAX_HEADERS: usize = 64;
const MAX_BYTES: usize = 64 << 20;

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// Without its query.
    pub path: String,
    /// The value of `X-Request-Id`.
    pub id: Option<String>,
    /// The body as JSON; null if it is none.
    pub body: Value,
}

impl Request {
    /// How many tokens it wants, whatever its dialect calls that.
    #[must_use]
    pub fn wanted_tokens(&self) -> Option<u32> {
        let given = [
            &self.body["max_tokens"],
            &self.body["max_completion_tokens"],
            &self.body["options"]["num_predict"],
            &self.body["n_predict"],
        ];
        let number = given.into_iter().find_map(Value::as_u64)?;
        u32::try_from(number).ok().filter(|wanted| *wanted > 0)
    }

    /// Tokens of its prompt: its ids, or its words.
    #[must_use]
    pub fn prompt_tokens(&self) -> usize {
        let words = |value: &Value| {
            value
                .as_str()
                .map_or(0, |text| text.split_whitespace().count())
        };
        match (&self.body["prompt"], &self.body["messages"]) {
            (Value::Array(ids), _) if ids.iter().all(Value::is_u64) => ids.len(),
            (Value::String(_), _) => words(&self.body["prompt"]),
            (_, Value::Array(messages)) => messages
                .iter()
                .map(|message| words(&message["content"]))
                .sum(),
            _ => 0,
        }
    }

    /// Whether usage is wanted at the end of a stream of `OpenAI`'s protocol.
    #[must_use]
    pub fn wants_usage(&self) -> bool {
        self.body["stream_options"]["include_usage"] == Value::Bool(true)
    }

    /// Whether a stream is wanted; Ollama's protocol streams unless it is told otherwise.
    #[must_use]
    pub fn wants_stream(&self) -> bool {
        self.body["stream"]
            .as_bool()
            .unwrap_or_else(|| self.path.starts_with("/api/"))
    }
}

/// The first request in `held`, taken out of it; None if it is not whole yet.
///
/// # Errors
/// What came is no HTTP request.
pub fn take_request(held: &mut Vec<u8>) -> Result<Option<Request>, String> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut parsing = httparse::Request::new(&mut headers);
    let parsed = parsing.parse(held).map_err(|error| error.to_string())?;
    let Status::Complete(begin) = parsed else {
        return if held.len() > MAX_BYTES {
            Err("too long".to_owned())
        } else {
            Ok(None)
        };
    };
    let value = |name: &str| {
        let found = parsing
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| String::from_utf8_lossy(header.value).trim().to_owned())
    };
    let length = value("content-length").map_or(Ok(0), |text| text.parse::<usize>());
    let length = length.map_err(|_| "a length that is no number".to_owned())?;
    let end = begin.saturating_add(length);
    if end > MAX_BYTES {
        return Err("too long".to_owned());
    }
    if held.len() < end {
        return Ok(None);
    }
    let path = parsing.path.unwrap_or("/");
    let request = Request {
        method: parsing.method.unwrap_or_default().to_owned(),
        path: path.split('?').next().unwrap_or("/").to_owned(),
        id: value("x-request-id"),
        body: serde_json::from_slice(&held[begin..end]).unwrap_or(Value::Null),
    };
    held.drain(..end);
    Ok(Some(request))
}

#[cfg(test)]
mod tests {
    use super::{Request, take_request};

    fn posted(body: &str) -> Request {
        let mut held = format!(
            "POST /v1/completions?x=1 HTTP/1.1\r\nX-Request-ID: 7\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes();
        let request = take_request(&mut held).unwrap().unwrap();
        assert!(held.is_empty());
        request
    }

    #[test]
    fn a_request_in_pieces() {
        let whole = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /next";
        let mut held = Vec::new();
        for byte in &whole[..32] {
            held.push(*byte);
            assert_eq!(take_request(&mut held), Ok(None));
        }
        held.extend_from_slice(&whole[32..]);
        let request = take_request(&mut held).unwrap().unwrap();
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("GET", "/health")
        );
        assert_eq!(held, b"GET /next");
    }

    #[test]
    fn what_a_request_asks_for() {
        let request = posted(r#"{"prompt":"one two","max_tokens":5,"stream":true}"#);
        assert_eq!(request.path, "/v1/completions");
        assert_eq!(request.id.as_deref(), Some("7"));
        assert_eq!(
            (request.wanted_tokens(), request.prompt_tokens()),
            (Some(5), 2)
        );
        assert!(request.wants_stream() && !request.wants_usage());
        assert_eq!(
            posted(r#"{"prompt":[1,2,3],"n_predict":4}"#).prompt_tokens(),
            3
        );
        assert_eq!(
            posted(r#"{"options":{"num_predict":4}}"#).wanted_tokens(),
            Some(4)
        );
        let chat = posted(
            r#"{"messages":[{"content":"a b"},{"content":"c"}],"stream_options":{"include_usage":true}}"#,
        );
        assert_eq!(chat.prompt_tokens(), 3);
        assert!(chat.wants_usage());
        assert!(!posted("no json").wants_stream());
    }

    #[test]
    fn what_is_no_request() {
        assert!(take_request(&mut b"\x16\x03\x01\x00".to_vec()).is_err());
        for length in ["x", "-1", "18446744073709551615"] {
            let held = format!("GET / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n");
            assert!(take_request(&mut held.into_bytes()).is_err(), "{length}");
        }
    }
}
