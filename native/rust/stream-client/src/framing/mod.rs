//! Cuts a stream of bytes into events, wherever the network cut it before.

mod ndjson;
mod sse;

pub use ndjson::Ndjson;
pub use sse::ServerSentEvents;

/// Bytes that one event may have unless something else is said. The largest that servers send,
/// the tokens of a long context as text, have about one.
pub const MAX_EVENT_BYTES: usize = 8 << 20;
/// Bytes that the events of one answer may have in all.
pub const MAX_ANSWER_BYTES: usize = 128 << 20;

/// `bytes` as people write it.
#[must_use]
pub fn in_words(bytes: usize) -> String {
    if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) {
        format!("{} MiB", bytes >> 20)
    } else {
        format!("{bytes} bytes")
    }
}

/// How a stream says where an event ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One JSON value a line.
    Ndjson,
    /// Server-sent events, as in the WHATWG HTML standard.
    Sse,
}

impl Framing {
    /// The parser for this framing; events beyond `max_event_bytes` are refused.
    #[must_use]
    pub fn parser(self, max_event_bytes: usize) -> Box<dyn EventParser + Send> {
        match self {
            Self::Ndjson => Box::new(Ndjson::new(max_event_bytes)),
            Self::Sse => Box::new(ServerSentEvents::new(max_event_bytes)),
        }
    }

    /// The media type to ask for.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Sse => "text/event-stream",
        }
    }
}

/// An event grew beyond the limit, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTooLarge(pub usize);

/// Takes bytes as they come, gives events as they are complete. Payloads are bytes: text
/// is never decoded, so a character may be cut anywhere.
pub trait EventParser {
    /// Take the next `bytes`; `emit` gets each event that they complete.
    ///
    /// # Errors
    /// An event is larger than allowed; the parser must not be used any more.
    fn push(&mut self, bytes: &[u8], emit: &mut dyn FnMut(&[u8])) -> Result<(), EventTooLarge>;

    /// The stream ended as it should; `emit` gets what the end itself completes.
    fn finish(&mut self, emit: &mut dyn FnMut(&[u8]));

    /// Forget everything: the next bytes begin another stream.
    fn reset(&mut self);
}

/// Append `bytes` to `buffer` unless the event they belong to (`held` bytes of it are kept
/// elsewhere) grows too large.
#[inline]
fn append(
    buffer: &mut Vec<u8>,
    bytes: &[u8],
    held: usize,
    limit: usize,
) -> Result<(), EventTooLarge> {
    if held + buffer.len() + bytes.len() > limit {
        return Err(EventTooLarge(limit));
    }
    buffer.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod testing {
    use super::Framing;

    const LIMIT: usize = 1 << 20;

    /// The events of `parts`, pushed one after the other.
    pub fn events_of(framing: Framing, parts: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let mut parser = framing.parser(LIMIT);
        for part in parts {
            parser
                .push(part, &mut |event| found.push(event.to_vec()))
                .unwrap();
        }
        parser.finish(&mut |event| found.push(event.to_vec()));
        found
    }

    /// Assert that `stream` gives `expected` whole, byte by byte, and cut at any position.
    pub fn assert_events(framing: Framing, stream: &[u8], expected: &[&[u8]]) {
        assert_eq!(events_of(framing, &[stream]), expected, "in one piece");
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(events_of(framing, &bytes), expected, "byte by byte");
        for cut in 0..=stream.len() {
            let (before, after) = stream.split_at(cut);
            assert_eq!(
                events_of(framing, &[before, after]),
                expected,
                "cut at {cut}"
            );
        }
    }

    /// Push `bytes` in one piece into a parser that allows `limit` bytes.
    pub fn is_refused(framing: Framing, bytes: &[u8], limit: usize) -> bool {
        let mut parser = framing.parser(limit);
        parser.push(bytes, &mut |_| {}).is_err()
    }
}
