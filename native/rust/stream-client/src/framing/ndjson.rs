//! One JSON value a line.

use super::{EventParser, EventTooLarge, append};

/// Lines ended by LF or CRLF. Blank lines are no events; a last line that only the end of
/// the stream ends is one.
pub struct Ndjson {
    line: Vec<u8>,
    limit: usize,
}

impl Ndjson {
    /// A parser that refuses lines of more than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            limit,
        }
    }

    fn end_line(line: &[u8], emit: &mut dyn FnMut(&[u8])) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
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
                Self::end_line(line, emit); // the usual case: nothing is copied
            } else {
                append(&mut self.line, line, 0, self.limit)?;
                Self::end_line(&self.line, emit);
                self.line.clear();
            }
            rest = after;
        }
        append(&mut self.line, rest, 0, self.limit)
    }

    fn finish(&mut self, emit: &mut dyn FnMut(&[u8])) {
        Self::end_line(&self.line, emit);
        self.line.clear();
    }

    fn reset(&mut self) {
        self.line.clear();
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
