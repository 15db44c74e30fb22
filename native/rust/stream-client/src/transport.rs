//! A TCP stream that notes when it was first written to and last read.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::clock::now_ns;
use crate::record::Arrival;

/// What happened on a connection so far; shared between the stream and whoever asks.
#[derive(Debug, Default)]
pub struct Stamps {
    first_write_ns: Cell<Option<i64>>,
    last_read_ns: Cell<i64>,
    reads: Cell<u32>,
}

impl Stamps {
    /// Just before the first byte was written; None as long as none was.
    #[must_use]
    pub fn first_write_ns(&self) -> Option<i64> {
        self.first_write_ns.get()
    }

    /// The last read that brought bytes.
    ///
    /// hyper reads again only when all bytes it holds are handed over, so this is the read
    /// that completed the piece of the body that came last.
    #[must_use]
    pub fn last_read(&self) -> Arrival {
        Arrival {
            read_index: self.reads.get(),
            ns: self.last_read_ns.get(),
        }
    }

    fn note_write(&self) {
        if self.first_write_ns.get().is_none() {
            self.first_write_ns.set(Some(now_ns()));
        }
    }

    fn note_read(&self) {
        self.last_read_ns.set(now_ns());
        self.reads.set(self.reads.get().saturating_add(1));
    }
}

/// A TCP stream with [`Stamps`].
pub struct StampedStream {
    inner: TcpStream,
    stamps: Rc<Stamps>,
}

impl StampedStream {
    /// Connect to `host` (a name or an address) and switch off Nagle's algorithm.
    ///
    /// # Errors
    /// The name is unknown or nobody listens there.
    pub async fn connect(host: &str, port: u16) -> io::Result<(Self, Rc<Stamps>)> {
        let inner = TcpStream::connect((host, port)).await?;
        inner.set_nodelay(true)?;
        let stamps = Rc::new(Stamps::default());
        Ok((
            Self {
                inner,
                stamps: Rc::clone(&stamps),
            },
            stamps,
        ))
    }
}

impl AsyncRead for StampedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.stamps.note_read();
        }
        result
    }
}

impl AsyncWrite for StampedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stamps.note_write();
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stamps.note_write();
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
