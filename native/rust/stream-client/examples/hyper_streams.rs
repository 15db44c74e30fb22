//! The same work by hyper and tokio, to know what they cost: `polystack bench-client --hyper`.
//!
//!     hyper_streams PORT STREAMS TOKENS SPREAD_NS FILE
//!
//! One thread, a task for each stream, a stamp when hyper hands over a piece of the body; the
//! events are cut and understood by this crate's own code.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a program that is only measured"
)]

use std::fmt::Write;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use polystack_stream::clock::{now_ns, thread_cpu_ns};
use polystack_stream::dialect::{Counts, Dialect};
use polystack_stream::load::limits::allow_connections;
use tokio::net::TcpStream;
use tokio::task::LocalSet;

const DIALECT: Dialect = Dialect::OpenAiCompletions;
const LIMIT: usize = 1 << 26;

struct Seen {
    sent_ns: i64,
    ns: Vec<i64>,
    reads: Vec<u32>,
}

async fn connect(port: u16) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::task::spawn_local(connection);
    sender
}

async fn ask(mut sender: SendRequest<Full<Bytes>>, number: usize, tokens: u32) -> Seen {
    let body = format!(
        "{{\"prompt\":\"one two three\",\"max_tokens\":{tokens},\"stream\":true,\
         \"stream_options\":{{\"include_usage\":true}}}}"
    );
    let request = Request::post("/v1/completions")
        .header("host", "127.0.0.1")
        .header("content-type", "application/json")
        .header("x-request-id", number)
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let mut seen = Seen {
        sent_ns: now_ns(),
        ns: Vec::new(),
        reads: Vec::new(),
    };
    let mut answer = sender.send_request(request).await.unwrap().into_body();
    let mut parser = DIALECT.framing().parser(LIMIT);
    let mut counts = Counts::default();
    let mut read = 0;
    while let Some(frame) = answer.frame().await {
        let frame = frame.unwrap();
        let stamp = now_ns();
        read += 1;
        if let Some(bytes) = frame.data_ref() {
            parser
                .push(bytes, &mut |payload| {
                    if DIALECT.read(payload, &mut counts).unwrap().has_content() {
                        seen.ns.push(stamp);
                        seen.reads.push(read);
                    }
                })
                .unwrap();
        }
    }
    seen
}

async fn run(port: u16, streams: usize, tokens: u32, spread_ns: i64) -> (i64, i64, Vec<Seen>) {
    let mut senders = Vec::new();
    for _ in 0..streams {
        senders.push(connect(port).await);
    }
    let cpu_before_ns = thread_cpu_ns();
    let started_ns = now_ns();
    let tasks: Vec<_> = senders
        .into_iter()
        .enumerate()
        .map(|(number, sender)| {
            let offset =
                spread_ns * i64::try_from(number).unwrap() / i64::try_from(streams).unwrap();
            tokio::task::spawn_local(async move {
                let wait_ns = (started_ns + offset - now_ns()).max(0);
                tokio::time::sleep(Duration::from_nanos(wait_ns.unsigned_abs())).await;
                ask(sender, number, tokens).await
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    (started_ns, thread_cpu_ns() - cpu_before_ns, all)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [port, streams, tokens, spread_ns, file] = words.as_slice() else {
        eprintln!("usage: hyper_streams PORT STREAMS TOKENS SPREAD_NS FILE");
        std::process::exit(2);
    };
    let streams: usize = streams.parse().unwrap();
    allow_connections(streams).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (started_ns, cpu_ns, all) = LocalSet::new().block_on(
        &runtime,
        run(
            port.parse().unwrap(),
            streams,
            tokens.parse().unwrap(),
            spread_ns.parse().unwrap(),
        ),
    );
    let mut out = format!("{{\"cpu_ns\":{cpu_ns},\"started_ns\":{started_ns},\"requests\":[");
    for (number, seen) in all.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        write!(
            out,
            "{comma}{{\"id\":\"{number}\",\"sent_ns\":{},\"ns\":{:?},\"reads\":{:?}}}",
            seen.sent_ns, seen.ns, seen.reads
        )
        .unwrap();
    }
    out.push_str("]}\n");
    std::fs::write(file, out).unwrap();
}
