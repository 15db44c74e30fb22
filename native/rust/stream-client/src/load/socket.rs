//! Bytes from and to the network, encrypted or not.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::clock::now_ns;
use crate::error::StreamError;
use crate::http::Target;

/// What one look at a socket gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    /// So many bytes.
    Bytes(usize),
    /// Nothing for now.
    Nothing,
    /// The other side has closed.
    End,
}

/// How connections are encrypted.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    /// For `target`: the system's roots, and the certificates in `ca_file`.
    ///
    /// # Errors
    /// The file cannot be read, or the host's name cannot stand in a certificate.
    pub fn new(target: &Target, ca_file: Option<&str>) -> Result<Self, StreamError> {
        let invalid = StreamError::InvalidRequest;
        let mut roots = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(native.certs);
        if let Some(path) = ca_file {
            let unreadable =
                |error: &dyn ToString| invalid(format!("{path}: {}", error.to_string()));
            let found = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(&error))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(target.host.clone())
            .map_err(|_| invalid(format!("{:?} is no name for a certificate", target.host)))?;
        Ok(Self {
            config: Arc::new(config),
            name,
        })
    }

    fn client(&self) -> io::Result<ClientConnection> {
        ClientConnection::new(Arc::clone(&self.config), self.name.clone()).map_err(io::Error::other)
    }
}

/// A connection that is being opened or stands.
pub struct Socket {
    /// The TCP connection.
    pub stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Socket {
    /// Begin to connect.
    ///
    /// # Errors
    /// The system refuses at once.
    pub fn connect(address: SocketAddr, tls: Option<&Tls>) -> io::Result<Self> {
        Self::over(TcpStream::connect(address)?, tls)
    }

    /// Go on with a TCP connection that stands.
    ///
    /// # Errors
    /// The encryption cannot be set up.
    pub fn over(stream: TcpStream, tls: Option<&Tls>) -> io::Result<Self> {
        let tls = tls.map(|tls| tls.client().map(Box::new)).transpose()?;
        Ok(Self { stream, tls })
    }

    /// Whether TCP stands; an error if it will not.
    ///
    /// # Errors
    /// The connection was refused.
    pub fn is_connected(&self) -> io::Result<bool> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error);
        }
        match self.stream.peer_addr() {
            Ok(_) => {
                self.stream.set_nodelay(true)?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Go on with the handshake of TLS. True: requests may be written.
    ///
    /// # Errors
    /// The other side cannot be trusted, or does not speak TLS.
    pub fn shake_hands(&mut self) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else {
            return Ok(true);
        };
        loop {
            while tls.wants_write() {
                if is_blocked(tls.write_tls(&mut self.stream))?.is_none() {
                    return Ok(false);
                }
            }
            if !tls.is_handshaking() {
                return Ok(true);
            }
            match is_blocked(tls.read_tls(&mut self.stream))? {
                None => return Ok(false),
                Some(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(_) => tls.process_new_packets().map_err(io::Error::other)?,
            };
        }
    }

    /// Write as much of `out` beyond `*written` as goes. True: all is written.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn write(&mut self, out: &[u8], written: &mut usize) -> io::Result<bool> {
        let Some(tls) = &mut self.tls else {
            while *written < out.len() {
                match is_blocked(self.stream.write(&out[*written..]))? {
                    None => return Ok(false),
                    Some(count) => *written += count,
                }
            }
            return Ok(true);
        };
        loop {
            while tls.wants_write() {
                if is_blocked(tls.write_tls(&mut self.stream))?.is_none() {
                    return Ok(false);
                }
            }
            if *written == out.len() {
                return Ok(true);
            }
            *written += tls.writer().write(&out[*written..])?;
        }
    }

    /// Read into `buffer`. `stamp` gets the time of the socket's read and how many there were,
    /// unless bytes of an earlier one were left.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn read(&mut self, buffer: &mut [u8], stamp: &mut dyn FnMut(i64)) -> io::Result<Got> {
        let Some(tls) = &mut self.tls else {
            let got = is_blocked(self.stream.read(buffer))?;
            if got.is_some_and(|count| count > 0) {
                stamp(now_ns());
            }
            return Ok(match got {
                None => Got::Nothing,
                Some(0) => Got::End,
                Some(count) => Got::Bytes(count),
            });
        };
        loop {
            match is_blocked(tls.reader().read(buffer)) {
                Ok(Some(0)) => return Ok(Got::End),
                Ok(Some(count)) => return Ok(Got::Bytes(count)),
                Ok(None) => {}
                // Closed without saying good-bye: many servers do.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Got::End),
                Err(error) => return Err(error),
            }
            match is_blocked(tls.read_tls(&mut self.stream))? {
                None => return Ok(Got::Nothing),
                Some(count) => {
                    if count > 0 {
                        stamp(now_ns());
                    }
                    tls.process_new_packets().map_err(io::Error::other)?;
                }
            }
        }
    }

    /// Whether a read that did not fill its buffer has emptied the socket.
    #[must_use]
    pub fn short_read_is_all(&self) -> bool {
        // TLS hands over one record at a time.
        self.tls.is_none()
    }
}

/// None in place of "would block"; interruptions are tried again by the caller's loop.
fn is_blocked(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
