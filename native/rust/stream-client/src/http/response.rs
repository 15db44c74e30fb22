//! An answer, read piece by piece, wherever the network cut it.

use httparse::{EMPTY_HEADER, ParserConfig, Status};

const MAX_HEADERS: usize = 100;
const MAX_HEAD_BYTES: usize = 64 << 10;
const MAX_SIZE_LINE_BYTES: usize = 1 << 10;
/// Of the value of a header that is shown.
const MAX_SHOWN_BYTES: usize = 200;

/// What came is no HTTP answer, or not a whole one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The bytes make no sense as HTTP.
    #[error("what came is not HTTP: {0}")]
    NotHttp(String),
    /// The connection was closed before the answer's end.
    #[error("the server closed the connection {0}")]
    Closed(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Length(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailer,
    UntilClose,
    Done,
}

/// Takes the bytes of one answer and hands out those of its body.
#[derive(Debug)]
pub struct Response {
    state: State,
    /// A head, size line or trailer of which a part has come.
    held: Vec<u8>,
    /// HTTP status; 0 as long as the head is not whole.
    pub status: u16,
    /// Whether the connection may be used again.
    pub is_kept_alive: bool,
    /// `Content-Type`, empty if there is none.
    pub content_type: String,
    /// `Location`, empty if there is none.
    pub location: String,
    /// `Retry-After`, empty if there is none.
    pub retry_after: String,
    /// How the body is packed; empty if it is as it is, as was asked for.
    pub encoding: String,
    /// Of the trailer, so far.
    trailer_bytes: usize,
}

impl Default for Response {
    fn default() -> Self {
        Self {
            state: State::Head,
            held: Vec::new(),
            status: 0,
            is_kept_alive: true,
            content_type: String::new(),
            location: String::new(),
            retry_after: String::new(),
            encoding: String::new(),
            trailer_bytes: 0,
        }
    }
}

impl Response {
    /// Forget everything: the next bytes begin another answer.
    pub fn reset(&mut self) {
        let held = std::mem::take(&mut self.held);
        *self = Self::default();
        self.held = held;
        self.held.clear();
    }

    /// Whether the head was read.
    #[must_use]
    pub fn has_head(&self) -> bool {
        self.state != State::Head
    }

    /// Whether the answer is one that was hoped for.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Why its body cannot be read, in words; None: it can.
    #[must_use]
    pub fn why_unread(&self) -> Option<String> {
        let encoding = &self.encoding;
        (!encoding.is_empty())
            .then(|| format!("its answer is packed ({encoding}), which nobody asked for"))
    }

    /// Whether the answer is whole.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Take the next `bytes`; `on_body` gets the pieces of the body in them.
    ///
    /// Returns how many bytes belonged to this answer.
    ///
    /// # Errors
    /// What came is not HTTP.
    pub fn push<'b>(
        &mut self,
        bytes: &'b [u8],
        on_body: &mut dyn FnMut(&Self, &'b [u8]),
    ) -> Result<usize, HttpError> {
        let mut rest = bytes;
        while !rest.is_empty() && self.state != State::Done {
            rest = match self.state {
                State::Head => self.take_head(rest)?,
                State::Length(left) | State::ChunkData(left) => {
                    let (piece, after) = rest.split_at(fitting(left, rest.len()));
                    on_body(self, piece);
                    self.state = self.after_piece(left - piece.len() as u64);
                    after
                }
                State::UntilClose => {
                    on_body(self, rest);
                    &[]
                }
                State::ChunkSize => self.take_size(rest)?,
                State::ChunkEnd => self.take_line(rest, State::ChunkSize)?,
                State::Trailer => self.take_trailer(rest)?,
                State::Done => rest,
            };
        }
        Ok(bytes.len() - rest.len())
    }

    /// The connection was closed.
    ///
    /// # Errors
    /// The answer was not whole.
    pub fn end(&mut self) -> Result<(), HttpError> {
        match self.state {
            State::Done => Ok(()),
            State::UntilClose => {
                self.state = State::Done;
                Ok(())
            }
            State::Head => Err(HttpError::Closed("without an answer")),
            _ => Err(HttpError::Closed("within its answer")),
        }
    }

    fn after_piece(&self, left: u64) -> State {
        match (self.state, left) {
            (State::Length(_), 0) => State::Done,
            (State::Length(_), left) => State::Length(left),
            (_, 0) => State::ChunkEnd,
            (_, left) => State::ChunkData(left),
        }
    }

    fn take_head<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], HttpError> {
        let before = self.held.len();
        self.held.extend_from_slice(bytes);
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut answer = httparse::Response::new(&mut headers);
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
            self.read_headers(status, &answer)?;
        }
        held.clear();
        self.held = held;
        Ok(&bytes[length - before..])
    }

    fn read_headers(
        &mut self,
        status: u16,
        answer: &httparse::Response<'_, '_>,
    ) -> Result<(), HttpError> {
        self.status = status;
        self.is_kept_alive = answer.version == Some(1);
        let mut length = None;
        let mut is_chunked = false;
        let mut is_closing = false;
        for header in answer.headers.iter() {
            let value = String::from_utf8_lossy(header.value).trim().to_owned();
            match header.name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    let number = length_of(&value)?;
                    if length.is_some_and(|other| other != number) {
                        return Err(HttpError::NotHttp("it has two lengths".to_owned()));
                    }
                    length = Some(number);
                }
                "transfer-encoding" => is_chunked = self.read_codings(&value) || is_chunked,
                "content-encoding" => {
                    self.read_codings(&value);
                }
                "connection" => {
                    for word in words_of(&value) {
                        is_closing |= word == "close";
                        self.is_kept_alive |= word == "keep-alive";
                    }
                }
                "content-type" => self.content_type = clipped(value),
                "location" => self.location = clipped(value),
                "retry-after" => self.retry_after = clipped(value),
                _ => {}
            }
        }
        // Where a length stands beside chunks, one of the two is a lie.
        self.is_kept_alive &= !is_closing && status != 101 && !(is_chunked && length.is_some());
        self.state = match (is_chunked, length) {
            _ if matches!(status, 101 | 204 | 304) => State::Done,
            (true, _) => State::ChunkSize,
            (false, Some(0)) => State::Done,
            (false, Some(length)) => State::Length(length),
            (false, None) => {
                self.is_kept_alive = false;
                State::UntilClose
            }
        };
        Ok(())
    }

    /// Keep what of a list of codings is more than chunks. True: chunks are the last of them.
    fn read_codings(&mut self, value: &str) -> bool {
        let mut is_chunked = false;
        for word in words_of(value) {
            is_chunked = word == "chunked";
            if !is_chunked && !word.is_empty() && word != "identity" {
                self.encoding = clipped(word);
            }
        }
        is_chunked
    }

    fn take_size<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], HttpError> {
        let bad = || HttpError::NotHttp("a chunk has no size".to_owned());
        // The usual case first: the line is whole, and nothing is copied.
        if self.held.is_empty()
            && let Status::Complete((used, size)) =
                httparse::parse_chunk_size(bytes).map_err(|_| bad())?
            && used <= MAX_SIZE_LINE_BYTES
        {
            self.begin_chunk(size);
            return Ok(&bytes[used..]);
        }
        let before = self.held.len();
        self.held.extend_from_slice(bytes);
        match httparse::parse_chunk_size(&self.held).map_err(|_| bad())? {
            Status::Complete((used, _)) if used > MAX_SIZE_LINE_BYTES => Err(bad()),
            Status::Complete((used, size)) => {
                self.held.clear();
                self.begin_chunk(size);
                Ok(&bytes[used - before..])
            }
            Status::Partial if self.held.len() > MAX_SIZE_LINE_BYTES => Err(bad()),
            Status::Partial => Ok(&[]),
        }
    }

    fn begin_chunk(&mut self, size: u64) {
        self.state = if size == 0 {
            State::Trailer
        } else {
            State::ChunkData(size)
        };
    }

    /// The empty line after a chunk.
    fn take_line<'b>(&mut self, bytes: &'b [u8], next: State) -> Result<&'b [u8], HttpError> {
        match (self.held.len(), bytes[0]) {
            (0, b'\r') => {
                self.held.push(b'\r');
                Ok(&bytes[1..])
            }
            (_, b'\n') => {
                self.held.clear();
                self.state = next;
                Ok(&bytes[1..])
            }
            _ => Err(HttpError::NotHttp(
                "a chunk is longer than it says".to_owned(),
            )),
        }
    }

    /// Fields after the last chunk, up to an empty line; they are not used.
    fn take_trailer<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], HttpError> {
        for (index, byte) in bytes.iter().enumerate() {
            self.trailer_bytes += 1;
            if self.trailer_bytes > MAX_HEAD_BYTES {
                return Err(HttpError::NotHttp("its trailer has no end".to_owned()));
            }
            if *byte != b'\n' {
                self.held.push(*byte);
                continue;
            }
            let is_end = self.held.is_empty() || self.held == b"\r";
            self.held.clear();
            if is_end {
                self.state = State::Done;
                return Ok(&bytes[index + 1..]);
            }
        }
        Ok(&[])
    }
}

/// Digits and nothing else.
fn length_of(value: &str) -> Result<u64, HttpError> {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| value.parse::<u64>().ok()).flatten();
    number.ok_or_else(|| HttpError::NotHttp(format!("its length is {:?}", clipped(value.into()))))
}

/// The words of a list of them, in small letters.
fn words_of(value: &str) -> impl Iterator<Item = String> {
    value
        .split(',')
        .map(|word| word.trim().to_ascii_lowercase())
}

/// The beginning of a value that may be of any length.
fn clipped(mut value: String) -> String {
    if value.len() > MAX_SHOWN_BYTES {
        let end = (0..=MAX_SHOWN_BYTES).rfind(|at| value.is_char_boundary(*at));
        value.truncate(end.unwrap_or(0));
        value.push('…');
    }
    value
}

fn fitting(left: u64, available: usize) -> usize {
    usize::try_from(left).map_or(available, |left| left.min(available))
}

fn shown(bytes: &[u8]) -> String {
    format!(
        "{:?}",
        String::from_utf8_lossy(&bytes[..bytes.len().min(40)])
    )
}

#[cfg(test)]
mod tests {
    use super::{HttpError, Response};

    /// The body of an answer that comes in `pieces`, and the reader after it.
    fn read(pieces: &[&[u8]]) -> Result<(Vec<u8>, Response), HttpError> {
        let mut body = Vec::new();
        let mut response = Response::default();
        for piece in pieces {
            response.push(piece, &mut |_, bytes| body.extend_from_slice(bytes))?;
        }
        Ok((body, response))
    }

    /// Read `answer` whole, byte by byte and cut at any place: always the same.
    fn body_of(answer: &[u8]) -> Vec<u8> {
        let (body, response) = read(&[answer]).unwrap();
        assert!(response.is_done());
        let bytes: Vec<&[u8]> = answer.chunks(1).collect();
        assert_eq!(read(&bytes).unwrap().0, body, "byte by byte");
        for cut in 0..answer.len() {
            let (before, after) = answer.split_at(cut);
            let (cut_body, response) = read(&[before, after]).unwrap();
            assert_eq!(cut_body, body, "cut at {cut}");
            assert!(response.is_done(), "cut at {cut}");
        }
        body
    }

    #[test]
    fn chunks() {
        let answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
            5\r\nhello\r\n1;x=y\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n";
        assert_eq!(body_of(answer), b"hello 0123456789");
    }

    #[test]
    fn chunks_with_a_trailer() {
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n\
            1\r\nx\r\n0\r\nexpires: never\r\n\r\n";
        assert_eq!(body_of(answer), b"x");
        assert_eq!(read(&[answer]).unwrap().1.encoding, "gzip");
    }

    #[test]
    fn a_size_that_goes_on_is_refused_however_it_is_cut() {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let answer = format!("{head}1;{}\r\nx\r\n0\r\n\r\n", "x".repeat(2000));
        assert!(read(&[answer.as_bytes()]).is_err());
        let pieces: Vec<&[u8]> = answer.as_bytes().chunks(700).collect();
        assert!(read(&pieces).is_err());
    }

    #[test]
    fn a_trailer_that_goes_on_is_refused() {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n";
        let answer = format!("{head}{}", "x: y\r\n".repeat(20_000));
        assert!(read(&[answer.as_bytes()]).is_err());
    }

    #[test]
    fn a_set_length() {
        assert_eq!(
            body_of(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
            b"abc"
        );
        assert_eq!(
            body_of(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            b""
        );
    }

    #[test]
    fn interim_answers_are_skipped() {
        let answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
        assert_eq!(body_of(answer), b"x");
    }

    #[test]
    fn an_answer_that_the_closing_ends() {
        let (body, mut response) = read(&[b"HTTP/1.0 200 OK\r\n\r\nab", b"c"]).unwrap();
        assert_eq!(body, b"abc");
        assert!(!response.is_done() && !response.is_kept_alive);
        response.end().unwrap();
        assert!(response.is_done());
    }

    #[test]
    fn a_connection_closed_too_early() {
        for answer in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        ] {
            let (_, mut response) = read(&[answer.as_bytes()]).unwrap();
            assert!(
                matches!(response.end(), Err(HttpError::Closed(_))),
                "{answer:?}"
            );
        }
    }

    #[test]
    fn what_follows_the_answer_is_left() {
        let mut response = Response::default();
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1";
        let used = response.push(bytes, &mut |_, _| {}).unwrap();
        assert_eq!(&bytes[used..], b"HTTP/1.1");
    }

    #[test]
    fn headers_that_matter() {
        let answer = b"HTTP/1.1 429 Too Many\r\nRetry-After: 2\r\nConnection: close\r\n\
            Content-Type: text/html\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n";
        let (_, response) = read(&[answer]).unwrap();
        assert_eq!(response.status, 429);
        assert_eq!(response.retry_after, "2");
        assert_eq!(response.content_type, "text/html");
        assert_eq!(response.location, "/x");
        assert!(!response.is_kept_alive);
    }

    #[test]
    fn values_of_any_length_are_clipped() {
        let long = "ä".repeat(5000);
        let answer = format!("HTTP/1.1 429 No\r\nRetry-After: {long}\r\nContent-Length: 0\r\n\r\n");
        let (_, response) = read(&[answer.as_bytes()]).unwrap();
        assert!(response.retry_after.len() <= 204);
    }

    #[test]
    fn a_connection_may_be_used_again() {
        for (headers, is_kept) in [
            ("Content-Length: 0", true),
            ("Content-Length: 0\r\nConnection: Upgrade, Close", false),
            ("Content-Length: 0\r\nTransfer-Encoding: chunked", false),
        ] {
            let answer = format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n");
            let (_, response) = read(&[answer.as_bytes()]).unwrap();
            assert_eq!(response.is_kept_alive, is_kept, "{headers}");
        }
    }

    #[test]
    fn what_is_not_http() {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        for answer in [
            "220 mail ready\r\n".to_owned(),
            format!("{head}zz\r\n"),
            format!("{head}1\r\nxy\r\n"),
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\n".to_owned(),
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".to_owned(),
        ] {
            assert!(read(&[answer.as_bytes()]).is_err(), "{answer:?}");
        }
    }
}
