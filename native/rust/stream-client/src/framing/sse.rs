//! Server-sent events.

use super::{EventParser, EventTooLarge, append};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The parser of the WHATWG HTML standard, reduced to what carries content: the `data`
/// fields of an event, joined by LF. Names, ids and retry times are dropped. What the end
/// of the stream cuts off is no event, as the standard asks.
pub struct ServerSentEvents {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    is_first_line: bool,
    /// The last byte was CR: a LF that follows belongs to it.
    after_cr: bool,
    limit: usize,
}

impl ServerSentEvents {
    /// A parser that refuses events of more than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            is_first_line: true,
            after_cr: false,
            limit,
        }
    }

    fn end_line(&mut self, line: &[u8], emit: &mut dyn FnMut(&[u8])) -> Result<(), EventTooLarge> {
        let mut line = line;
        if std::mem::take(&mut self.is_first_line) {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if line.is_empty() {
            if std::mem::take(&mut self.has_data) {
                emit(&self.data);
                self.data.clear();
            }
            return Ok(());
        }
        match data_of(line) {
            Some(value) => self.add_data(value),
            None => Ok(()),
        }
    }

    /// The end of a line that began in an earlier piece.
    fn end_held_line(&mut self, emit: &mut dyn FnMut(&[u8])) -> Result<(), EventTooLarge> {
        let mut whole = std::mem::take(&mut self.line);
        let result = self.end_line(&whole, emit);
        whole.clear();
        self.line = whole;
        result
    }

    fn add_data(&mut self, value: &[u8]) -> Result<(), EventTooLarge> {
        if self.has_data {
            append(&mut self.data, b"\n", 0, self.limit)?;
        }
        self.has_data = true;
        append(&mut self.data, value, 0, self.limit)
    }
}

/// The value of a `data` field; None for any other field and for comments.
fn data_of(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"data")? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

impl EventParser for ServerSentEvents {
    fn push(&mut self, bytes: &[u8], emit: &mut dyn FnMut(&[u8])) -> Result<(), EventTooLarge> {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            let line = &rest[..end];
            if self.line.is_empty() && self.data.len() + line.len() <= self.limit {
                self.end_line(line, emit)?; // the usual case: the line is not copied
            } else {
                append(&mut self.line, line, self.data.len(), self.limit)?;
                self.end_held_line(emit)?;
            }
            let is_cr = rest[end] == b'\r';
            rest = &rest[end + 1..];
            if is_cr {
                self.after_cr = rest.is_empty();
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
        }
        append(&mut self.line, rest, self.data.len(), self.limit)
    }

    fn finish(&mut self, _emit: &mut dyn FnMut(&[u8])) {}

    fn reset(&mut self) {
        self.line.clear();
        self.data.clear();
        self.has_data = false;
        self.is_first_line = true;
        self.after_cr = false;
    }
}

#[cfg(test)]
mod tests {
    use crate::framing::Framing::Sse;
    use crate::framing::testing::{assert_events, is_refused};

    #[test]
    fn all_three_line_ends() {
        for end in ["\n", "\r\n", "\r"] {
            let stream = format!("data: one{end}{end}data: two{end}{end}");
            assert_events(Sse, stream.as_bytes(), &[b"one", b"two"]);
        }
    }

    #[test]
    fn several_data_lines_are_one_event() {
        assert_events(Sse, b"data: a\ndata:\ndata: b\n\n", &[b"a\n\nb"]);
    }

    #[test]
    fn one_space_after_the_colon_is_framing() {
        assert_events(Sse, b"data:a\n\ndata:  b\n\n", &[b"a", b" b"]);
    }

    #[test]
    fn comments_and_other_fields_carry_no_content() {
        let stream = b": ping\n\nevent: delta\nid: 7\nretry: 10\ndata: x\n\ndatax: y\n\n";
        assert_events(Sse, stream, &[b"x"]);
    }

    #[test]
    fn an_empty_data_field_is_an_event() {
        assert_events(Sse, b"data\n\ndata:\n\n\n\n", &[b"", b""]);
    }

    #[test]
    fn a_byte_order_mark_at_the_start_is_dropped() {
        assert_events(
            Sse,
            b"\xef\xbb\xbfdata: a\n\ndata: \xef\xbb\xbf\n\n",
            &[b"a", b"\xef\xbb\xbf"],
        );
    }

    #[test]
    fn the_end_marker_is_left_to_the_caller() {
        assert_events(Sse, b"data: {}\n\ndata: [DONE]\n\n", &[b"{}", b"[DONE]"]);
    }

    #[test]
    fn an_event_without_its_blank_line_is_dropped() {
        assert_events(Sse, b"data: a\n\ndata: b\n", &[b"a"]);
    }

    #[test]
    fn characters_of_several_bytes_are_whole_again() {
        let text = "größe 😀 漢";
        let stream = format!("data: {text}\r\n\r\n");
        assert_events(Sse, stream.as_bytes(), &[text.as_bytes()]);
    }

    #[test]
    fn an_event_beyond_the_limit_is_refused() {
        assert!(!is_refused(Sse, b"data: 12\n\ndata: 34\n\n", 8));
        assert!(is_refused(Sse, b"data: 1234567", 8));
        assert!(is_refused(Sse, b"data: 1\ndata: 2\ndata: 3\ndata: 4\n", 8));
    }
}
