//! Where a request goes.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use http::Uri;

use crate::error::StreamError;

/// An absolute URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether the connection is encrypted.
    pub is_tls: bool,
    /// Name or address, an IPv6 address without its brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// `host:port` as the `Host` header has it.
    pub authority: String,
}

impl Target {
    /// Take `url` apart.
    ///
    /// # Errors
    /// It is no absolute `http://` or `https://` URL.
    pub fn parse(url: &str) -> Result<Self, StreamError> {
        let invalid = |what: &str| StreamError::InvalidRequest(format!("{url:?} is no {what}"));
        let uri: Uri = url.parse().map_err(|_| invalid("URL"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(invalid("URL that begins with http:// or https://")),
        };
        let Some(host) = uri.host().filter(|host| !host.is_empty()) else {
            return Err(invalid("URL with a host"));
        };
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Ok(Self {
            is_tls,
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            path: uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
            authority: format!("{host}:{port}"),
        })
    }
}

/// The addresses of a target; the system's resolver may take long, so it gets a limit.
///
/// # Errors
/// The name is not known, or not in time.
pub fn resolve(target: &Target, limit: Duration) -> Result<Vec<SocketAddr>, StreamError> {
    let failed = |reason: String| StreamError::Connect {
        address: target.authority.clone(),
        reason,
    };
    let (answer, answered) = channel();
    let name = (target.host.clone(), target.port);
    // Not joined: a resolver that hangs cannot be told to stop.
    thread::spawn(move || answer.send(name.to_socket_addrs().map(Vec::from_iter)));
    let found = answered
        .recv_timeout(limit)
        .map_err(|_| failed("the name was not resolved in time".to_owned()))?
        .map_err(|error| failed(format!("the name is not known: {error}")))?;
    if found.is_empty() {
        return Err(failed("the name has no address".to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn parts_of_a_url() {
        let target = Target::parse("http://[::1]:8080/v1/x?y=1").unwrap();
        assert_eq!((target.host.as_str(), target.port), ("::1", 8080));
        assert_eq!(target.authority, "[::1]:8080");
        assert_eq!(target.path, "/v1/x?y=1");
        assert!(!target.is_tls);
    }

    #[test]
    fn the_scheme_decides_port_and_encryption() {
        let target = Target::parse("https://example.org").unwrap();
        assert_eq!(
            (target.is_tls, target.port, target.path.as_str()),
            (true, 443, "/")
        );
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for url in [
            "",
            "/v1",
            "127.0.0.1:80",
            "ftp://x/",
            "http://",
            "http:///x",
        ] {
            let error = Target::parse(url).unwrap_err();
            assert!(error.to_string().contains("URL"), "{url:?}: {error}");
        }
    }
}
