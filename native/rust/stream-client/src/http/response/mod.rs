//! An answer, read piece by piece, wherever the network cut it.
//!
//! Here is what may come when; `head` and `chunks` read what needs more than counting bytes.

mod chunks;
mod head;
#[cfg(test)]
mod tests;

/// Of a head, and of a trailer.
const MAX_HEAD_BYTES: usize = 64 << 10;

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
                State::ChunkEnd => self.take_chunk_end(rest)?,
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
}

/// How much of what is `left` of a piece lies in the `available` bytes.
fn fitting(left: u64, available: usize) -> usize {
    usize::try_from(left).map_or(available, |left| left.min(available))
}
