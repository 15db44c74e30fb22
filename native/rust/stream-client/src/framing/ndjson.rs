//! One JSON value a line.

use super::{EventParser, EventTooLarge, append};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Lines ended by LF or CRLF. Blank lines are no events; a last line that only the end of
/// the stream ends is one. A byte order mark before the first is dropped.
pub struct Ndjson {
    line: Vec<u8>,
    is_first_line: bool,
    limit: usize,
}

impl Ndjson {
    /// A parser that refuses lines of more than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            is_first_line: true,
            limit,
        }
    }

    fn end_line(line: &[u8], is_first: &mut bool, emit: &mut dyn FnMut(&[u8])) {
        let mut line = line.strip_suffix(b"\r").unwrap_or(line);
        if std::mem::take(is_first) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if !line.trim_ascii().is_empty() {
            emit(line);
        }
    }
}

impl EventParser for Ndjson {
    fn push(&mut self, bytes: &[u8], emit: &mut dyn FnMut(&[u8])) -> Result<(), EventTooLarge> {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            if self.line.is_empty() && line.len() <= self.limit {
                Self::end_line(line, &mut self.is_first_line, emit); // the usual case: nothing is copied
            } else {
                append(&mut self.line, line, 0, self.limit)?;
                Self::end_line(&self.line, &mut self.is_first_line, emit);
                self.line.clear();
            }
            rest = after;
        }
        append(&mut self.line, rest, 0, self.limit)
    }

    fn finish(&mut self, emit: &mut dyn FnMut(&[u8])) {
        Self::end_line(&self.line, &mut self.is_first_line, emit);
        self.line.clear();
    }

    fn reset(&mut self) {
        self.line.clear();
        self.is_first_line = true;
    }
}

#[cfg(test)]
mod tests {
    use crate::framing::Framing::Ndjson;
    use crate::framing::testing::{assert_events, is_refused};

    #[test]
    fn lines_with_lf() {
        assert_events(
            Ndjson,
            b"{\"a\":1}\n{\"b\":2}\n",
            &[b"{\"a\":1}", b"{\"b\":2}"],
        );
    }

    #[test]
    fn lines_with_crlf() {
        assert_events(
            Ndjson,
            b"{\"a\":1}\r\n{\"b\":2}\r\n",
            &[b"{\"a\":1}", b"{\"b\":2}"],
        );
    }

    #[test]
    fn blank_lines_are_no_events() {
        assert_events(Ndjson, b"\n\r\n  \n1\n\n\n2\n\r\n", &[b"1", b"2"]);
    }

    #[test]
    fn the_end_ends_the_last_line() {
        assert_events(Ndjson, b"1\n2", &[b"1", b"2"]);
    }

    #[test]
    fn carriage_return_within_a_line_stays() {
        assert_events(Ndjson, b"a\rb\n", &[b"a\rb"]);
    }

    #[test]
    fn characters_of_several_bytes_are_whole_again() {
        let text = "{\"t\":\"größe 😀 漢\"}";
        assert_events(
            Ndjson,
            format!("{text}\n{text}\r\n").as_bytes(),
            &[text.as_bytes(), text.as_bytes()],
        );
    }

    #[test]
    fn bytes_that_are_no_text_pass_untouched() {
        assert_events(Ndjson, b"\xff\xfe\x00\n\xc3\n", &[b"\xff\xfe\x00", b"\xc3"]);
    }

    #[test]
    fn a_byte_order_mark_at_the_start_is_dropped() {
        assert_events(
            Ndjson,
            b"\xef\xbb\xbf1\n\xef\xbb\xbf2\n",
            &[b"1", b"\xef\xbb\xbf2"],
        );
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_events(Ndjson, b"", &[]);
    }

    #[test]
    fn a_line_beyond_the_limit_is_refused() {
        assert!(!is_refused(Ndjson, b"12345678\n12345678", 8));
        assert!(is_refused(Ndjson, b"123456789", 8));
        assert!(is_refused(Ndjson, b"1\n123456789\n", 8));
    }
}
