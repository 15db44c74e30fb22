//! The client against a server that is told byte by byte what to send, and when.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use polystack_stream::client::{StreamRequest, post_stream};
use polystack_stream::error::StreamError;
use polystack_stream::framing::Framing;
use polystack_stream::record::StreamRecord;

const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const PAUSE: Duration = Duration::from_millis(30);

/// Answer one request with `writes`, a pause before each, then close.
fn answer(writes: &[&[u8]]) -> Result<StreamRecord, StreamError> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let request = StreamRequest::new(&url, b"{}".to_vec(), Framing::Ndjson).unwrap();
    let writes: Vec<Vec<u8>> = writes.iter().map(|write| write.to_vec()).collect();
    let server = thread::spawn(move || serve(&mut listener.accept().unwrap().0, &writes));
    let record = post_stream(&request, &AtomicBool::new(false));
    server.join().unwrap();
    record
}

fn serve(stream: &mut TcpStream, writes: &[Vec<u8>]) {
    stream.set_nodelay(true).unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"{}") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        request.push(byte[0]);
    }
    for write in writes {
        thread::sleep(PAUSE);
        stream.write_all(write).unwrap();
    }
}

/// One chunk of a chunked body.
fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

fn payloads(record: &StreamRecord) -> Vec<&[u8]> {
    record
        .events
        .iter()
        .map(|event| event.payload.as_slice())
        .collect()
}

#[test]
fn events_of_one_write_share_their_read() {
    let both = format!("{}{}", chunk("1\n"), chunk("2\n3\n"));
    let later = format!("{}0\r\n\r\n", chunk("4\n"));
    let record = answer(&[HEAD.as_bytes(), both.as_bytes(), later.as_bytes()]).unwrap();

    assert_eq!(payloads(&record), [b"1", b"2", b"3", b"4"]);
    let reads: Vec<u32> = record
        .events
        .iter()
        .map(|event| event.arrival.read_index)
        .collect();
    assert_eq!(reads[0], reads[1]);
    assert_eq!(reads[1], reads[2]);
    assert!(reads[3] > reads[2]);
    assert_eq!(record.events[0].arrival.ns, record.events[2].arrival.ns);
}

#[test]
fn stamps_are_in_the_order_of_what_happened() {
    let first = chunk("1\n");
    let last = format!("{}0\r\n\r\n", chunk("2\n"));
    let record = answer(&[HEAD.as_bytes(), first.as_bytes(), last.as_bytes()]).unwrap();

    let stamps = [
        record.connected_ns,
        record.requested_ns,
        record.headers_ns,
        record.events[0].arrival.ns,
        record.events[1].arrival.ns,
        record.ended_ns,
    ];
    assert!(stamps.is_sorted(), "{stamps:?}");
}

#[test]
fn an_event_belongs_to_the_read_that_completes_it() {
    // The event's chunk is cut in two: its own first half came with the read before.
    let whole = format!("{}{}0\r\n\r\n", chunk("1\n"), chunk("22222\n"));
    let cut = whole.find("222\n").unwrap();
    let (before, after) = whole.split_at(cut);
    let record = answer(&[HEAD.as_bytes(), before.as_bytes(), after.as_bytes()]).unwrap();

    assert_eq!(payloads(&record), [b"1".as_slice(), b"22222"]);
    assert!(record.events[1].arrival.read_index > record.events[0].arrival.read_index);
}

#[test]
fn a_connection_that_closes_within_the_answer_is_an_error() {
    let failure = answer(&[HEAD.as_bytes(), chunk("1\n").as_bytes()]).unwrap_err();
    assert!(
        matches!(failure, StreamError::Protocol { events: 1, .. }),
        "{failure}"
    );
}
