//! The bytes of a request.

use http::header::{HeaderName, HeaderValue};

use super::target::Target;
use crate::error::StreamError;

/// All requests of one client: only length, number and body differ from one to the next.
#[derive(Clone, Debug)]
pub struct RequestTemplate {
    /// Request line and headers, without the empty line that ends them.
    head: Vec<u8>,
    id_header: Option<String>,
}

impl RequestTemplate {
    /// A POST to `target` of JSON, with `headers` besides or in place of the usual ones.
    ///
    /// # Errors
    /// A header's name or value has bytes that it must not have.
    pub fn new(
        target: &Target,
        accept: &str,
        headers: &[(String, String)],
        id_header: Option<&str>,
    ) -> Result<Self, StreamError> {
        let mut fields = vec![
            ("host".to_owned(), target.authority.clone()),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("accept".to_owned(), accept.to_owned()),
        ];
        for (name, value) in headers {
            let name = header_name(name)?;
            HeaderValue::from_str(value)
                .map_err(|_| invalid(format!("the value of {name} cannot stand in a header")))?;
            fields.retain(|(known, _)| *known != name);
            fields.push((name, value.clone()));
        }
        let mut head = format!("POST {} HTTP/1.1\r\n", target.path).into_bytes();
        for (name, value) in fields {
            head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        let id_header = id_header.map(header_name).transpose()?;
        Ok(Self { head, id_header })
    }

    /// Write the request with this number and body into `out`, in place of what it holds.
    pub fn write(&self, number: u64, body: &[u8], out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.head);
        if let Some(name) = &self.id_header {
            out.extend_from_slice(format!("{name}: {number}\r\n").as_bytes());
        }
        out.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        out.extend_from_slice(body);
    }
}

fn header_name(name: &str) -> Result<String, StreamError> {
    HeaderName::from_bytes(name.as_bytes())
        .map(|name| name.as_str().to_owned())
        .map_err(|_| invalid(format!("{name:?} is no header name")))
}

fn invalid(message: String) -> StreamError {
    StreamError::InvalidRequest(message)
}

#[cfg(test)]
mod tests {
    use super::RequestTemplate;
    use crate::http::Target;

    fn text(headers: &[(String, String)], id_header: Option<&str>) -> String {
        let target = Target::parse("http://127.0.0.1:9/api").unwrap();
        let template = RequestTemplate::new(&target, "x/y", headers, id_header).unwrap();
        let mut out = b"left over".to_vec();
        template.write(7, b"{}", &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn head_and_body() {
        assert_eq!(
            text(&[], Some("X-Request-Id")),
            "POST /api HTTP/1.1\r\nhost: 127.0.0.1:9\r\ncontent-type: application/json\r\n\
             accept: x/y\r\nx-request-id: 7\r\ncontent-length: 2\r\n\r\n{}"
        );
    }

    #[test]
    fn a_header_of_the_caller_goes_before_ours() {
        let headers = [("Content-Type".to_owned(), "text/plain".to_owned())];
        let text = text(&headers, None);
        assert!(text.contains("content-type: text/plain\r\n"));
        assert!(!text.contains("application/json"));
    }

    #[test]
    fn a_header_that_would_begin_another_is_refused() {
        let target = Target::parse("http://127.0.0.1/").unwrap();
        let split = [("authorization".to_owned(), "a\r\nx: b".to_owned())];
        let error = RequestTemplate::new(&target, "", &split, None).unwrap_err();
        // A value may be a key: it does not stand in the message.
        assert!(!error.to_string().contains("x: b"), "{error}");
    }
}
