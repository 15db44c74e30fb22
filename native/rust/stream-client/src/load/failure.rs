//! What can go wrong with a request of a load.

/// What went wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection came about.
    Connect,
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
}
