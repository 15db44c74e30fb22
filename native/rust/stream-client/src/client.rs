//! Sends one request and records its streamed answer.

use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::clock::now_ns;
use crate::error::StreamError;
use crate::framing::{EventTooLarge, Framing};
use crate::record::{Event, StreamRecord};
use crate::transport::{StampedStream, Stamps};

const DEFAULT_PORT: u16 = 80;
const ERROR_BODY_BYTES: usize = 4096;

/// One POST whose answer is a stream of events.
#[derive(Clone, Debug)]
pub struct StreamRequest {
    uri: Uri,
    headers: HeaderMap,
    /// The request's body.
    pub body: Bytes,
    /// How the answer's events are cut.
    pub framing: Framing,
    /// Time for the answer, from the open connection to its end.
    pub timeout: Duration,
    /// Time until the connection stands.
    pub connect_timeout: Duration,
    /// Bytes that one event may have.
    pub max_event_bytes: usize,
}

impl StreamRequest {
    /// A request of `body` to `url` with the usual limits and headers.
    ///
    /// # Errors
    /// `url` is not an absolute `http://` URL.
    pub fn new(url: &str, body: Bytes, framing: Framing) -> Result<Self, StreamError> {
        let uri: Uri = url
            .parse()
            .map_err(|_| invalid(format!("{url:?} is no URL")))?;
        if uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty) {
            return Err(invalid(format!("{url:?} is no http:// URL with a host")));
        }
        let mut headers = HeaderMap::new();
        let address = format!("{}:{}", uri.host().unwrap_or_default(), port_of(&uri));
        headers.insert(HOST, header_value(&address)?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static(framing.media_type()));
        Ok(Self {
            uri,
            headers,
            body,
            framing,
            timeout: Duration::from_secs(600),
            connect_timeout: Duration::from_secs(5),
            max_event_bytes: 64 << 20,
        })
    }

    /// Add a header, in place of one of the same name.
    ///
    /// # Errors
    /// `name` or `value` has bytes that a header must not have.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<(), StreamError> {
        let name: HeaderName = name
            .parse()
            .map_err(|_| invalid(format!("{name:?} is no header name")))?;
        self.headers.insert(name, header_value(value)?);
        Ok(())
    }

    fn to_http(&self) -> Result<Request<Full<Bytes>>, StreamError> {
        let target = self
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let mut request = Request::post(target)
            .body(Full::new(self.body.clone()))
            .map_err(|error| invalid(error.to_string()))?;
        request.headers_mut().clone_from(&self.headers);
        Ok(request)
    }
}

/// Send `request` and wait for the end of its answer, on this thread.
///
/// Everything runs on one thread so that the stamp of a read is taken by the thread that
/// reads. `cancel` ends the wait from outside, when something is sent or it is dropped.
///
/// # Errors
/// See [`StreamError`].
pub fn post_stream(
    request: &StreamRequest,
    cancel: oneshot::Receiver<()>,
) -> Result<StreamRecord, StreamError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| connect_error(request, &error))?;
    let result = LocalSet::new().block_on(&runtime, async {
        tokio::select! {
            result = exchange(request) => result,
            _ = cancel => Err(StreamError::Cancelled),
        }
    });
    // A name that is still being resolved would otherwise be waited for.
    runtime.shutdown_background();
    result
}

async fn exchange(request: &StreamRequest) -> Result<StreamRecord, StreamError> {
    let (stream, stamps) = connect(request).await?;
    let connected_ns = now_ns();
    let deadline = Instant::now() + request.timeout;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| protocol(&error, 0))?;
    // Its errors come out of the request or of the body as well.
    tokio::task::spawn_local(connection);
    let response = timeout_at(deadline, sender.send_request(request.to_http()?))
        .await
        .map_err(|_| StreamError::Timeout {
            limit: request.timeout,
            events: 0,
        })?
        .map_err(|error| protocol(&error, 0))?;
    let mut record = StreamRecord {
        status: response.status().as_u16(),
        connected_ns,
        requested_ns: stamps.first_write_ns().unwrap_or(connected_ns),
        headers_ns: stamps.last_read().ns,
        events: Vec::new(),
        ended_ns: 0,
        error_body: Vec::new(),
    };
    if response.status().is_success() {
        read_events(response, request, &stamps, deadline, &mut record.events).await?;
    } else {
        record.error_body = read_error(response, request, deadline).await?;
    }
    record.ended_ns = now_ns();
    Ok(record)
}

async fn connect(request: &StreamRequest) -> Result<(StampedStream, Rc<Stamps>), StreamError> {
    // In a URL an IPv6 address stands in brackets, elsewhere it does not.
    let host = request
        .uri
        .host()
        .unwrap_or_default()
        .trim_matches(['[', ']']);
    timeout(
        request.connect_timeout,
        StampedStream::connect(host, port_of(&request.uri)),
    )
    .await
    .map_err(|_| connect_error(request, &"no answer in time"))?
    .map_err(|error| connect_error(request, &error))
}

async fn read_events(
    response: Response<Incoming>,
    request: &StreamRequest,
    stamps: &Stamps,
    deadline: Instant,
    events: &mut Vec<Event>,
) -> Result<(), StreamError> {
    let mut parser = request.framing.parser(request.max_event_bytes);
    let mut body = response.into_body();
    let mut arrival = stamps.last_read();
    loop {
        let next = timeout_at(deadline, body.frame())
            .await
            .map_err(|_| StreamError::Timeout {
                limit: request.timeout,
                events: events.len(),
            })?;
        let Some(frame) = next else { break };
        let frame = frame.map_err(|error| protocol(&error, events.len()))?;
        if let Some(bytes) = frame.data_ref() {
            arrival = stamps.last_read();
            parser
                .push(bytes, &mut |payload| {
                    events.push(Event { payload, arrival });
                })
                .map_err(|EventTooLarge(limit)| StreamError::EventTooLarge { limit })?;
        }
    }
    parser.finish(&mut |payload| events.push(Event { payload, arrival }));
    Ok(())
}

async fn read_error(
    response: Response<Incoming>,
    request: &StreamRequest,
    deadline: Instant,
) -> Result<Vec<u8>, StreamError> {
    let mut body = response.into_body();
    let mut kept = Vec::new();
    while kept.len() < ERROR_BODY_BYTES {
        let next = timeout_at(deadline, body.frame())
            .await
            .map_err(|_| StreamError::Timeout {
                limit: request.timeout,
                events: 0,
            })?;
        // The status is worth more than the rest of a text that breaks off.
        let Some(Ok(frame)) = next else { break };
        if let Some(bytes) = frame.data_ref() {
            kept.extend_from_slice(bytes);
        }
    }
    kept.truncate(ERROR_BODY_BYTES);
    Ok(kept)
}

fn port_of(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(DEFAULT_PORT)
}

fn header_value(value: &str) -> Result<HeaderValue, StreamError> {
    value
        .parse()
        .map_err(|_| invalid(format!("{value:?} cannot stand in a header")))
}

fn invalid(message: String) -> StreamError {
    StreamError::InvalidRequest(message)
}

fn connect_error(request: &StreamRequest, reason: &dyn ToString) -> StreamError {
    let host = request.uri.host().unwrap_or_default();
    let address = format!("{host}:{}", port_of(&request.uri));
    StreamError::Connect {
        address,
        reason: reason.to_string(),
    }
}

/// hyper keeps the cause apart from its own message.
fn protocol(error: &hyper::Error, events: usize) -> StreamError {
    let reason = match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    StreamError::Protocol { reason, events }
}
