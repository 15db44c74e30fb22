//! Whole answers, cut at every place, and what is none.

use super::{HttpError, Response};

/// The body of an answer that comes in `pieces`, and the reader after it.
fn read(pieces: &[&[u8]]) -> Result<(Vec<u8>, Response), HttpError> {
    let mut body = Vec::new();
    let mut response = Response::default();
    for piece in pieces {
        response.push(piece, &mut |_, bytes| body.extend_from_slice(bytes))?;
    }
    Ok((body, response))
}

/// Read `answer` whole, byte by byte and cut at any place: always the same.
fn body_of(answer: &[u8]) -> Vec<u8> {
    let (body, response) = read(&[answer]).unwrap();
    assert!(response.is_done());
    let bytes: Vec<&[u8]> = answer.chunks(1).collect();
    assert_eq!(read(&bytes).unwrap().0, body, "byte by byte");
    for cut in 0..answer.len() {
        let (before, after) = answer.split_at(cut);
        let (cut_body, response) = read(&[before, after]).unwrap();
        assert_eq!(cut_body, body, "cut at {cut}");
        assert!(response.is_done(), "cut at {cut}");
    }
    body
}

#[test]
fn chunks() {
    let answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
        5\r\nhello\r\n1;x=y\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n";
    assert_eq!(body_of(answer), b"hello 0123456789");
}

#[test]
fn chunks_with_a_trailer() {
    let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n\
        1\r\nx\r\n0\r\nexpires: never\r\n\r\n";
    assert_eq!(body_of(answer), b"x");
    assert_eq!(read(&[answer]).unwrap().1.encoding, "gzip");
}

#[test]
fn a_size_that_goes_on_is_refused_however_it_is_cut() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = format!("{head}1;{}\r\nx\r\n0\r\n\r\n", "x".repeat(2000));
    assert!(read(&[answer.as_bytes()]).is_err());
    let pieces: Vec<&[u8]> = answer.as_bytes().chunks(700).collect();
    assert!(read(&pieces).is_err());
}

#[test]
fn a_trailer_that_goes_on_is_refused() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n";
    let answer = format!("{head}{}", "x: y\r\n".repeat(20_000));
    assert!(read(&[answer.as_bytes()]).is_err());
}

#[test]
fn a_set_length() {
    assert_eq!(
        body_of(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
        b"abc"
    );
    assert_eq!(
        body_of(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        b""
    );
}

#[test]
fn interim_answers_are_skipped() {
    let answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(body_of(answer), b"x");
}

#[test]
fn an_answer_that_the_closing_ends() {
    let (body, mut response) = read(&[b"HTTP/1.0 200 OK\r\n\r\nab", b"c"]).unwrap();
    assert_eq!(body, b"abc");
    assert!(!response.is_done() && !response.is_kept_alive);
    response.end().unwrap();
    assert!(response.is_done());
}

#[test]
fn a_connection_closed_too_early() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
    ] {
        let (_, mut response) = read(&[answer.as_bytes()]).unwrap();
        assert!(
            matches!(response.end(), Err(HttpError::Closed(_))),
            "{answer:?}"
        );
    }
}

#[test]
fn what_follows_the_answer_is_left() {
    let mut response = Response::default();
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1";
    let used = response.push(bytes, &mut |_, _| {}).unwrap();
    assert_eq!(&bytes[used..], b"HTTP/1.1");
}

#[test]
fn headers_that_matter() {
    let answer = b"HTTP/1.1 429 Too Many\r\nRetry-After: 2\r\nConnection: close\r\n\
        Content-Type: text/html\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n";
    let (_, response) = read(&[answer]).unwrap();
    assert_eq!(response.status, 429);
    assert_eq!(response.retry_after, "2");
    assert_eq!(response.content_type, "text/html");
    assert_eq!(response.location, "/x");
    assert!(!response.is_kept_alive);
}

#[test]
fn values_of_any_length_are_clipped() {
    let long = "ä".repeat(5000);
    let answer = format!("HTTP/1.1 429 No\r\nRetry-After: {long}\r\nContent-Length: 0\r\n\r\n");
    let (_, response) = read(&[answer.as_bytes()]).unwrap();
    assert!(response.retry_after.len() <= 204);
}

#[test]
fn a_connection_may_be_used_again() {
    for (headers, is_kept) in [
        ("Content-Length: 0", true),
        ("Content-Length: 0\r\nConnection: Upgrade, Close", false),
        ("Content-Length: 0\r\nTransfer-Encoding: chunked", false),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n");
        let (_, response) = read(&[answer.as_bytes()]).unwrap();
        assert_eq!(response.is_kept_alive, is_kept, "{headers}");
    }
}

#[test]
fn what_is_not_http() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for answer in [
        "220 mail ready\r\n".to_owned(),
        format!("{head}zz\r\n"),
        format!("{head}1\r\nxy\r\n"),
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".to_owned(),
    ] {
        assert!(read(&[answer.as_bytes()]).is_err(), "{answer:?}");
    }
}
