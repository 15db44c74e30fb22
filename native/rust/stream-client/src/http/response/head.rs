//! The head of an answer: status, the headers that matter, and where its body ends.

use httparse::{EMPTY_HEADER, ParserConfig, Status};

use super::{HttpError, MAX_HEAD_BYTES, Response, State};

const MAX_HEADERS: usize = 100;
/// Of the value of a header that is shown.
const MAX_SHOWN_BYTES: usize = 200;
/// Of an answer that is not HTTP.
const MAX_SHOWN_BEGINNING_BYTES: usize = 40;

/// What the headers say of the body's end and of the connection.
#[derive(Default)]
struct Said {
    length: Option<u64>,
    is_chunked: bool,
    is_closing: bool,
    is_keeping: bool,
}

impl Response {
    pub(super) fn take_head<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], HttpError> {
        let before = self.held.len();
        self.held.extend_from_slice(bytes);
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut answer = httparse::Response::new(&mut headers);
        // Taken out for as long as the parsed headers borrow from it.
        let mut held = std::mem::take(&mut self.held);
        let parsed = ParserConfig::default()
            .parse_response(&mut answer, &held)
            .map_err(|error| HttpError::NotHttp(format!("{error}; it begins {}", shown(&held))))?;
        let length = match parsed {
            Status::Complete(length) if length <= MAX_HEAD_BYTES => length,
            Status::Partial if held.len() <= MAX_HEAD_BYTES => {
                self.held = held;
                return Ok(&[]);
            }
            _ => return Err(HttpError::NotHttp("its head has no end".to_owned())),
        };
        let status = answer.code.unwrap_or_default();
        // "Continue" and the like: the answer itself is still to come. Not so where the server
        // goes on in another protocol.
        if !(100..200).contains(&status) || status == 101 {
            self.status = status;
            let said = self.read_headers(answer.headers)?;
            self.settle_body(&said, answer.version == Some(1));
        }
        held.clear();
        self.held = held;
        Ok(&bytes[length - before..])
    }

    fn read_headers(&mut self, headers: &[httparse::Header<'_>]) -> Result<Said, HttpError> {
        let mut said = Said::default();
        for header in headers {
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            let value = String::from_utf8_lossy(header.value);
            let value = value.trim();
            if is("content-length") {
                let length = length_of(value)?;
                if said.length.is_some_and(|other| other != length) {
                    return Err(HttpError::NotHttp("it has two lengths".to_owned()));
                }
                said.length = Some(length);
            } else if is("transfer-encoding") {
                said.is_chunked |= self.read_codings(value);
            } else if is("content-encoding") {
                self.read_codings(value);
            } else if is("connection") {
                for word in words_of(value) {
                    said.is_closing |= word.eq_ignore_ascii_case("close");
                    said.is_keeping |= word.eq_ignore_ascii_case("keep-alive");
                }
            } else if is("content-type") {
                self.content_type = clipped(value);
            } else if is("location") {
                self.location = clipped(value);
            } else if is("retry-after") {
                self.retry_after = clipped(value);
            }
        }
        Ok(said)
    }

    /// What follows the head, and whether another answer may follow that.
    fn settle_body(&mut self, said: &Said, is_http_1_1: bool) {
        // Where a length stands beside chunks, one of the two is a lie.
        let is_ambiguous = said.is_chunked && said.length.is_some();
        let may_go_on = !said.is_closing && !is_ambiguous && self.status != 101;
        self.is_kept_alive = (is_http_1_1 || said.is_keeping) && may_go_on;
        self.state = match (said.is_chunked, said.length) {
            _ if matches!(self.status, 101 | 204 | 304) => State::Done,
            (true, _) => State::ChunkSize,
            (false, Some(0)) => State::Done,
            (false, Some(length)) => State::Length(length),
            (false, None) => {
                self.is_kept_alive = false;
                State::UntilClose
            }
        };
    }

    /// Keep what of a list of codings is more than chunks. True: chunks are the last of them.
    fn read_codings(&mut self, value: &str) -> bool {
        let mut is_chunked = false;
        for word in words_of(value) {
            is_chunked = word.eq_ignore_ascii_case("chunked");
            if !is_chunked && !word.is_empty() && !word.eq_ignore_ascii_case("identity") {
                self.encoding = clipped(&word.to_ascii_lowercase());
            }
        }
        is_chunked
    }
}

/// Digits and nothing else: `parse` alone would also take a sign.
fn length_of(value: &str) -> Result<u64, HttpError> {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| value.parse::<u64>().ok()).flatten();
    number.ok_or_else(|| HttpError::NotHttp(format!("its length is {:?}", clipped(value))))
}

fn words_of(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim)
}

/// The beginning of a value that may be of any length.
fn clipped(value: &str) -> String {
    if value.len() <= MAX_SHOWN_BYTES {
        return value.to_owned();
    }
    let end = (0..=MAX_SHOWN_BYTES).rfind(|at| value.is_char_boundary(*at));
    format!("{}…", &value[..end.unwrap_or(0)])
}

fn shown(bytes: &[u8]) -> String {
    let beginning = &bytes[..bytes.len().min(MAX_SHOWN_BEGINNING_BYTES)];
    format!("{:?}", String::from_utf8_lossy(beginning))
}
