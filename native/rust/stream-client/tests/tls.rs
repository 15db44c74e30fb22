//! The load client over TLS, against a server with a certificate of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use polystack_stream::dialect::Dialect;
use polystack_stream::error::StreamError;
use polystack_stream::http::Target;
use polystack_stream::load::{Columns, Plan, Shape, start};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

const ANSWER: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Serve `connections` connections, two events on each; returns the port and the certificate.
fn serve(connections: usize) -> (u16, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Arc::new(config);
    thread::spawn(move || {
        for _ in 0..connections {
            let (stream, _) = listener.accept().unwrap();
            let config = Arc::clone(&config);
            thread::spawn(move || answer(stream, config));
        }
    });
    (port, cert.pem())
}

fn answer(mut socket: std::net::TcpStream, config: Arc<ServerConfig>) {
    let mut tls = ServerConnection::new(config).unwrap();
    let mut stream = Stream::new(&mut tls, &mut socket);
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"{}") {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return; // a client that only tried whether somebody is there
        }
        request.push(byte[0]);
    }
    stream.write_all(ANSWER.as_bytes()).unwrap();
    for text in [
        "{\"response\":\"a\",\"done\":false}\n",
        "{\"response\":\"\",\"done\":true,\"eval_count\":1}\n",
    ] {
        thread::sleep(Duration::from_millis(20));
        let chunk = format!("{:x}\r\n{text}\r\n", text.len());
        stream.write_all(chunk.as_bytes()).unwrap();
        stream.flush().unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    // Good-bye is left to the end of the process: the client does not need it.
    thread::sleep(Duration::from_millis(200));
}

fn load(port: u16, ca_file: Option<String>) -> Result<Columns, StreamError> {
    let plan = Plan {
        target: Target::parse(&format!("https://localhost:{port}/api/generate")).unwrap(),
        bodies: vec![b"{}".to_vec()],
        dialect: Dialect::OllamaGenerate,
        shape: Shape::Closed {
            starts_ns: vec![0, 0],
            requests: Some(2),
            duration_ns: None,
        },
        timeout_ns: 10_000_000_000,
        connect_timeout_ns: 5_000_000_000,
        headers: Vec::new(),
        id_header: None,
        max_event_bytes: 1 << 20,
        keeps_text: true,
        ca_file,
    };
    let handle = start(plan).recv().unwrap()?;
    assert!(handle.wait(Duration::from_secs(20)));
    Ok(std::mem::take(&mut *handle.shared().columns()))
}

#[test]
fn a_certificate_that_is_trusted() {
    let (port, pem) = serve(3);
    let file = std::env::temp_dir().join(format!("polystack-ca-{port}.pem"));
    std::fs::write(&file, pem).unwrap();
    let columns = load(port, Some(file.to_str().unwrap().to_owned()));
    std::fs::remove_file(&file).unwrap();
    let columns = columns.unwrap();

    assert_eq!(columns.error_kind, ["", ""], "{:?}", columns.error);
    assert_eq!(columns.text, ["a", "a"]);
    assert_eq!(columns.output_tokens, [1, 1]);
    for index in 0..2 {
        assert!(columns.sent_ns[index] < columns.chunk_ns[index]);
    }
}

#[test]
fn a_certificate_that_nobody_trusts() {
    let (port, _) = serve(3);
    let error = load(port, None).unwrap_err();
    assert!(error.to_string().contains("ertificate"), "{error}");
}

#[test]
fn a_file_of_certificates_that_is_none() {
    let (port, _) = serve(1);
    let error = load(port, Some("/nowhere/ca.pem".to_owned())).unwrap_err();
    assert!(matches!(error, StreamError::InvalidRequest(_)), "{error}");
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
}
