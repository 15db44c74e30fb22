//! What a server can do wrong.

/// One way to answer badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refuse with this status.
    Status(u16),
    /// A page in place of a stream.
    Html,
    /// A plain JSON answer in place of a stream.
    Json,
    /// A stream without any event.
    EmptyStream,
    /// A stream that ends without its mark.
    NoEnd,
    /// The connection is reset as soon as the request is there.
    Reset,
    /// The connection is closed in mid-answer.
    CloseEarly,
    /// An error object in an answer that began well.
    ErrorEvent,
    /// Usage is left out.
    NoUsage,
    /// Usage counts one token too many.
    WrongUsage,
    /// Two first chunks that carry a role alone.
    RoleTwice,
}

/// Every fault by its name.
pub const FAULTS: [(&str, Fault); 16] = [
    ("status-400", Fault::Status(400)),
    ("status-401", Fault::Status(401)),
    ("status-404", Fault::Status(404)),
    ("status-429", Fault::Status(429)),
    ("status-500", Fault::Status(500)),
    ("status-503", Fault::Status(503)),
    ("html", Fault::Html),
    ("json", Fault::Json),
    ("empty-stream", Fault::EmptyStream),
    ("no-done", Fault::NoEnd),
    ("reset", Fault::Reset),
    ("close-early", Fault::CloseEarly),
    ("error-event", Fault::ErrorEvent),
    ("no-usage", Fault::NoUsage),
    ("wrong-usage", Fault::WrongUsage),
    ("role-only-twice", Fault::RoleTwice),
];

impl Fault {
    /// The fault called `name`; None for the empty name.
    ///
    /// # Errors
    /// There is none of that name; the message lists them.
    pub fn named(name: &str) -> Result<Option<Self>, String> {
        if name.is_empty() {
            return Ok(None);
        }
        let found = FAULTS.iter().find(|(known, _)| *known == name);
        found.map(|(_, fault)| Some(*fault)).ok_or_else(|| {
            let known = FAULTS.map(|(known, _)| known).join(", ");
            format!("no fault is called {name:?}; there are {known}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn names() {
        assert_eq!(Fault::named(""), Ok(None));
        assert_eq!(Fault::named("status-429"), Ok(Some(Fault::Status(429))));
        assert!(Fault::named("fire").unwrap_err().contains("close-early"));
    }
}
