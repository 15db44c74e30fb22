//! What can go wrong with a request of a load.

use std::io;

use rustix::io::Errno;

/// What went wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection came about.
    Connect,
    /// This machine has no file or port left for a connection: nothing the server could help.
    Client,
    /// The connection could not be encrypted.
    Tls,
    /// No answer in time.
    Timeout,
    /// A status other than 2xx.
    Status,
    /// What came is not HTTP, or no message of the dialect.
    Protocol,
    /// The connection was closed before the answer's end.
    Closed,
    /// An error object in an answer that began well.
    StreamError,
    /// An event is larger than allowed.
    TooLarge,
    /// A 2xx whose body is no stream.
    NotAStream,
    /// A stream without content.
    Empty,
    /// A stream that ends without saying so.
    NoEnd,
    /// Its counts contradict what came.
    WrongCount,
    /// Whoever wanted the answer gave up.
    Cancelled,
}

impl ErrorKind {
    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Client => "client",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::Protocol => "protocol",
            Self::Closed => "closed",
            Self::StreamError => "stream-error",
            Self::TooLarge => "too-large",
            Self::NotAStream => "not-a-stream",
            Self::Empty => "empty",
            Self::NoEnd => "no-end",
            Self::WrongCount => "wrong-count",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What went wrong, and the reason in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its kind.
    pub kind: ErrorKind,
    /// The reason, with the beginning of the server's own words.
    pub text: String,
}

impl Failure {
    /// A failure of that kind.
    #[must_use]
    pub fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    /// Why a connection did not come about.
    #[must_use]
    pub fn to_connect(error: &io::Error) -> Self {
        if is_ours(error) {
            let words = format!("this machine has no file or port left for a connection: {error}");
            Self::new(ErrorKind::Client, words)
        } else {
            Self::new(ErrorKind::Connect, error.to_string())
        }
    }
}

/// Whether it is this machine that lacks something, whoever listens at the other end.
fn is_ours(error: &io::Error) -> bool {
    const OURS: [Errno; 4] = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::ADDRNOTAVAIL,
        Errno::NOBUFS,
    ];
    Errno::from_io_error(error).is_some_and(|errno| OURS.contains(&errno))
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustix::io::Errno;

    use super::{ErrorKind, Failure};

    #[test]
    fn a_lack_of_this_machine_is_not_the_servers() {
        for errno in [Errno::MFILE, Errno::ADDRNOTAVAIL] {
            let failure = Failure::to_connect(&io::Error::from(errno));
            assert_eq!(failure.kind, ErrorKind::Client);
            assert!(failure.text.contains("no file or port left"));
        }
        let refused = Failure::to_connect(&io::Error::from(Errno::CONNREFUSED));
        assert_eq!(refused.kind, ErrorKind::Connect);
    }
}
