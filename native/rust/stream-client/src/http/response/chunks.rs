//! A body in chunks: the line with a chunk's size, the line after it, the trailer.

use httparse::Status;

use super::{HttpError, MAX_HEAD_BYTES, Response, State};

const MAX_SIZE_LINE_BYTES: usize = 1 << 10;

impl Response {
    pub(super) fn take_size<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], HttpError> {
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

    /// The end of the line that a chunk's data stands in.
    pub(super) fn take_chunk_end<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], HttpError> {
        match (self.held.len(), bytes[0]) {
            (0, b'\r') => {
                self.held.push(b'\r');
                Ok(&bytes[1..])
            }
            (_, b'\n') => {
                self.held.clear();
                self.state = State::ChunkSize;
                Ok(&bytes[1..])
            }
            _ => Err(HttpError::NotHttp(
                "a chunk is longer than it says".to_owned(),
            )),
        }
    }

    /// Fields after the last chunk, up to an empty line; they are not used.
    pub(super) fn take_trailer<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], HttpError> {
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
