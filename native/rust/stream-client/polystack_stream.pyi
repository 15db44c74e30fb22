"""Sends HTTP requests and stamps every event of the answers' streams.

Times are nanoseconds of CLOCK_MONOTONIC, the same numbers as `time.monotonic_ns()` gives.

`tests/real/test_stream_client.py` checks this file against the built module.
"""

from collections.abc import Sequence
from typing import Literal, final

__all__ = [
    "ConnectError",
    "LimitError",
    "LoadRecord",
    "LoadRun",
    "LoadSnapshot",
    "ProtocolError",
    "RequestTimeoutError",
    "StreamError",
    "StreamRecord",
    "post_stream",
    "read_load",
    "read_stream",
]

class StreamError(Exception):
    """A request gave no record. The root of this module's exceptions."""

class ConnectError(StreamError):
    """No connection came about."""

class RequestTimeoutError(StreamError):
    """The answer did not end in time, or did not go on."""

class LimitError(StreamError):
    """More connections than this process may have; the message says how to raise the limit."""

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
        """The first 4 KiB of the answer if the status is not 2xx or no event came, else empty."""

    @property
    def location(self) -> str:
        """`Location`, its first 200 bytes; empty if there is none."""

    @property
    def retry_after(self) -> str:
        """`Retry-After`, the same."""

def post_stream(
    url: str,
    body: bytes,
    *,
    framing: Literal["ndjson", "sse"],
    timeout_s: float,
    stall_timeout_s: float = 120.0,
    connect_timeout_s: float = 5.0,
    headers: dict[str, str] | None = None,
    max_event_bytes: int = 8_388_608,
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
        stall_timeout_s: seconds from one event to the next, once one has come.
        connect_timeout_s: seconds until the connection stands.
        headers: further headers of the request.
        max_event_bytes: an event that is larger is refused, as is an answer of more than 128 MiB.

    Raises:
        ConnectError: nobody listens there, or not in time.
        RequestTimeoutError: `timeout_s` has passed, or `stall_timeout_s` without an event.
        ProtocolError: what came is not HTTP, broke off, or has an event that is too large.
        ValueError: an argument makes no sense.
    """

def read_stream(
    pieces: Sequence[bytes],
    *,
    framing: Literal["ndjson", "sse"],
    max_event_bytes: int = 8_388_608,
) -> StreamRecord:
    """What `post_stream` makes of an answer without any network.

    Args:
        pieces: the answer with its head, as the reads bring it; then the connection is closed.
            The stamp of read k is k, from 1; empty pieces are none.
        framing: as of `post_stream`.
        max_event_bytes: as of `post_stream`.

    Raises:
        ProtocolError: as of `post_stream`.
    """

def read_load(
    pieces: Sequence[bytes], *, dialect: str, max_event_bytes: int = 8_388_608
) -> LoadRecord:
    """What a load makes of the same: one request, sent at 1."""

@final
class LoadRun:
    """Many requests to one server, sent and stamped by one thread, which needs no GIL.

    Making it opens the connections; when they all stand, the clock and the load start. An
    object that is forgotten ends its load.
    """

    def __new__(
        cls,
        url: str,
        bodies: Sequence[bytes],
        *,
        dialect: str,
        users: int | None = None,
        starts_ns: bytes | None = None,
        arrivals_ns: bytes | None = None,
        connections: int | None = None,
        requests: int | None = None,
        duration_s: float | None = None,
        timeout_s: float = 600.0,
        connect_timeout_s: float = 5.0,
        headers: dict[str, str] | None = None,
        max_event_bytes: int = 8_388_608,
        keep_text: bool = False,
        request_id_header: str | None = None,
        ca_file: str | None = None,
    ) -> LoadRun:
        """Connect and start. Either `users` or `arrivals_ns` says when requests are sent.

        Args:
            url: an absolute `http://` or `https://` URL.
            bodies: request k has body k modulo their number.
            dialect: `openai-completions`, `openai-chat`, `ollama-generate`, `ollama-chat` or
                `llama-completion`.
            users: closed loop: each sends its next request when it has its answer. One whose
                request failed pauses for a tenth of a second.
            starts_ns: when each user starts, as 64-bit little-endian nanoseconds after the
                start; None: all at once.
            arrivals_ns: open loop: when each request is due, in the same form, ascending.
            connections: open loop: how many stand before the clock starts. More are opened when
                all are busy; a request that had to wait for one says so in `connect_ns`. Where
                the limit on open files allows no more, requests wait for one that is over.
            requests: closed loop: ends after that many.
            duration_s: closed loop: no request is sent after that many seconds.
            timeout_s: for one answer, from the sending of its request.
            connect_timeout_s: for resolving the name, and for each connection.
            headers: further headers, or others in place of the usual ones.
            max_event_bytes: an event that is larger is refused, as is an answer of more than
                128 MiB.
            keep_text: keep the answers.
            request_id_header: a header that gets the request's number.
            ca_file: further trusted certificates (PEM), besides the system's.

        Raises:
            ConnectError: nobody listens there, or the name is not known.
            LimitError: more connections than this process may have.
            ValueError: an argument makes no sense.
        """

    def snapshot(self) -> LoadSnapshot:
        """How it stands; made ten times a second."""

    def take(self) -> LoadRecord:
        """The requests that have ended since the last `take`."""

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end without the GIL; True: all requests have ended.

        Signals are looked for ten times a second.
        """

    def cancel(self) -> None:
        """End it now; requests under way end with the error kind `cancelled`."""

    @property
    def started_ns(self) -> int:
        """The clock started: all connections stood."""

    @property
    def ended_ns(self) -> int:
        """The last request had ended; 0 while it runs."""

    @property
    def cpu_ns(self) -> int:
        """CPU time of the thread since the clock started."""

@final
class LoadSnapshot:
    """How a load stands. For looking at: results are computed from the stamps."""

    @property
    def elapsed_ns(self) -> int: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def finished(self) -> int:
        """Requests that have ended, failed ones too."""

    @property
    def failed(self) -> int: ...
    @property
    def events(self) -> int:
        """Chunks with content."""

    @property
    def output_tokens(self) -> int:
        """Of the finished requests, as far as they are counted."""

    @property
    def ttft_ns(self) -> tuple[int, int, int]:
        """p50, p90 and p99 so far, from when a request was due; 0 as long as there is none."""

    @property
    def itl_ns(self) -> tuple[int, int, int]:
        """The same of the gaps between chunks; two of one read have none."""

@final
class LoadRecord:
    """Requests that have ended, in columns: n requests, m chunks with content in all.

    Columns of `bytes` are little-endian, for `numpy.frombuffer`. Times are nanoseconds of
    CLOCK_MONOTONIC; 0: did not happen.
    """

    @property
    def number(self) -> bytes:
        """<i8 (n): order of sending, from 0."""

    @property
    def user(self) -> bytes:
        """<i4 (n): closed loop: which user; open loop: which connection, -1: it never had one."""

    @property
    def scheduled_ns(self) -> bytes:
        """<i8 (n): when it was due; in a closed loop, when it was sent."""

    @property
    def sent_ns(self) -> bytes:
        """<i8 (n): just before its first byte was written."""

    @property
    def connect_ns(self) -> bytes:
        """<i8 (n): duration of opening the connection, if this request had to; else 0."""

    @property
    def tls_ns(self) -> bytes:
        """<i8 (n): the part of `connect_ns` that TLS took."""

    @property
    def headers_ns(self) -> bytes:
        """<i8 (n): the read that completed the head of the answer."""

    @property
    def ended_ns(self) -> bytes:
        """<i8 (n): the answer was over, well or not."""

    @property
    def status(self) -> bytes:
        """<i4 (n): HTTP status; 0: no answer."""

    @property
    def prompt_tokens(self) -> bytes:
        """<i4 (n): as the server counts them; -1: it does not say."""

    @property
    def output_tokens(self) -> bytes:
        """<i4 (n): as the server counts them, else the sum over the chunks; -1: not known."""

    @property
    def chunk_offsets(self) -> bytes:
        """<i8 (n + 1): chunks of request i are those from offset i up to offset i + 1."""

    @property
    def chunk_ns(self) -> bytes:
        """<i8 (m): the socket read that completed the chunk."""

    @property
    def chunk_tokens(self) -> bytes:
        """<i4 (m): tokens in it; 0: not known."""

    @property
    def chunk_reads(self) -> bytes:
        """<i4 (m): number of that read on its connection: chunks of one read have no gap."""

    @property
    def chunk_is_reasoning(self) -> bytes:
        """u1 (m): 1: the model's reasoning."""

    @property
    def error_kind(self) -> tuple[str, ...]:
        """(n): what went wrong, by kind; empty where nothing did.

        `connect`, `client` (this machine has no file or port left for a connection), `tls`,
        `timeout`, `status`, `protocol`, `closed`, `stream-error`, `too-large`, `not-a-stream`,
        `empty`, `no-end`, `wrong-count` or `cancelled`.
        """

    @property
    def error(self) -> tuple[str, ...]:
        """(n): the reason, with the beginning of the server's own words (up to 4 KiB)."""

    @property
    def stop(self) -> tuple[str, ...]:
        """(n): `length`, `end-of-sequence`, or empty."""

    @property
    def text(self) -> tuple[str, ...]:
        """(n): the answers; empty strings unless they are kept."""

    @property
    def final(self) -> tuple[bytes, ...]:
        """(n): the event with the server's own figures (usage, timings, durations), or empty."""
