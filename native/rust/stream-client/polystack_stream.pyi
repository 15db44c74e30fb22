"""Sends one HTTP request and stamps every event of the answer's stream.

Times are nanoseconds of CLOCK_MONOTONIC, the same numbers as `time.monotonic_ns()` gives.

`tests/real/test_stream_client.py` checks this file against the built module.
"""

from typing import Literal, final

__all__ = [
    "ConnectError",
    "ProtocolError",
    "RequestTimeoutError",
    "StreamError",
    "StreamRecord",
    "post_stream",
]

class StreamError(Exception):
    """A request gave no record. The root of this module's exceptions."""

class ConnectError(StreamError):
    """No connection came about."""

class RequestTimeoutError(StreamError):
    """The answer did not end in time."""

class ProtocolError(StreamError):
    """The answer is not HTTP, broke off, or has an event that is too large."""

@final
class StreamRecord:
    """One request and its answer."""

    @property
    def status(self) -> int:
        """HTTP status."""

    @property
    def connected_ns(self) -> int:
        """The connection stood."""

    @property
    def requested_ns(self) -> int:
        """Just before the first byte of the request was written on the open connection."""

    @property
    def headers_ns(self) -> int:
        """The read that completed the head of the answer."""

    @property
    def events(self) -> tuple[bytes, ...]:
        """The payload of each event, without its framing; empty if the status is not 2xx."""

    @property
    def event_ns(self) -> tuple[int, ...]:
        """For each event, the socket read that completed it."""

    @property
    def read_index(self) -> tuple[int, ...]:
        """For each event, the number of that read.

        Events with the same number came in one read: the gap of 0 ns between them says
        nothing about when the server made them.
        """

    @property
    def ended_ns(self) -> int:
        """The end of the answer was seen."""

    @property
    def error_body(self) -> bytes:
        """The first 4 KiB of the answer if the status is not 2xx, else empty."""

def post_stream(
    url: str,
    body: bytes,
    *,
    framing: Literal["ndjson", "sse"],
    timeout_s: float,
    connect_timeout_s: float = 5.0,
    headers: dict[str, str] | None = None,
    max_event_bytes: int = 67_108_864,
) -> StreamRecord:
    """POST `body` to `url` and wait for the end of the answer, without the GIL.

    Signals are looked for ten times a second, so Ctrl-C ends the wait.

    Args:
        url: an absolute `http://` URL.
        body: sent as it is; `Content-Type` is `application/json` unless `headers` say
            otherwise.
        framing: how the answer says where an event ends: a line (`ndjson`), or as in
            server-sent events (`sse`). Payloads are bytes as they came, `[DONE]` included.
        timeout_s: seconds from the open connection to the end of the answer.
        connect_timeout_s: seconds until the connection stands.
        headers: further headers of the request.
        max_event_bytes: an event that is larger is refused.

    Raises:
        ConnectError: nobody listens there, or not in time.
        RequestTimeoutError: `timeout_s` has passed.
        ProtocolError: what came is not HTTP, broke off, or has an event that is too large.
        ValueError: an argument makes no sense.
    """
