"""A server that writes the bytes it is given, cut where they are cut, and nothing else."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from python_runner.common.clock import now_ns

PAUSE_S = 0.002
"""Between two pieces: as a rule each is then a read of its own."""
_POLL_S = 0.05
_END_OF_HEAD = b"\r\n\r\n"


class Then(Enum):
    """What happens to the connection after the last piece."""

    CLOSE = "close"
    HOLD = "hold"
    """It stays open, and nothing more comes."""
    KEEP = "keep"
    """It takes another request."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is written to one request."""

    pieces: Iterable[bytes]
    then: Then = Then.CLOSE
    pause_s: float = PAUSE_S


@dataclass(kw_only=True)
class RawServer:
    """What a test sees of it."""

    url: str
    requests: int = 0
    connections: int = 0
    sent_ns: list[int] = field(default_factory=list)
    """Of the last answer: just before each of its pieces."""
    is_over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextlib.contextmanager
def serving(answer: Callable[[int], Answer], path: str = "/") -> Iterator[RawServer]:
    """Answers request k with `answer(k)`, until the `with` statement ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(url=f"http://127.0.0.1:{listener.getsockname()[1]}{path}")
        threads: list[threading.Thread] = []

        def accept() -> None:
            while not server.is_over.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                thread = threading.Thread(target=_serve, args=(server, connection, answer))
                threads.append(thread)
                thread.start()

        listener.settimeout(_POLL_S)
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server
        finally:
            server.is_over.set()
            accepting.join()
            for thread in threads:
                thread.join()


def _serve(server: RawServer, connection: socket.socket, answer: Callable[[int], Answer]) -> None:
    with connection, contextlib.suppress(OSError):  # the client may be gone
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(_POLL_S)
        with server.lock:
            server.connections += 1
        while _read_request(connection, server.is_over):
            with server.lock:
                number = server.requests
                server.requests += 1
            said = answer(number)
            _write(server, connection, said)
            if said.then is Then.HOLD:
                _wait_for_end(connection, server.is_over)
            if said.then is not Then.KEEP:
                return


def _write(server: RawServer, connection: socket.socket, said: Answer) -> None:
    stamps: list[int] = []
    server.sent_ns = stamps
    connection.settimeout(None)
    for piece in said.pieces:
        if server.is_over.is_set():
            return
        stamps.append(now_ns())
        connection.sendall(piece)
        time.sleep(said.pause_s)
    connection.settimeout(_POLL_S)


def _wait_for_end(connection: socket.socket, is_over: threading.Event) -> None:
    while not is_over.is_set():
        try:
            if not connection.recv(4096):
                return
        except TimeoutError:
            continue


def _read_request(connection: socket.socket, is_over: threading.Event) -> bool:
    """Read a whole request. False: none comes any more."""
    data = b""
    while not is_over.is_set():
        head, found, body = data.partition(_END_OF_HEAD)
        if found and len(body) >= _length(head):
            return True
        try:
            part = connection.recv(1 << 16)
        except TimeoutError:
            continue
        if not part:
            return False
        data += part
    return False


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    """A chunk of a chunked body."""
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


def chunked(parts: Sequence[bytes], *, kind: str = "text/event-stream") -> list[bytes]:
    """A whole answer, its body in these chunks, each a piece."""
    return [head(kind, "Transfer-Encoding: chunked"), *map(chunk, parts), b"0\r\n\r\n"]


def head(kind: str, *headers: str, status: str = "200 OK", version: str = "1.1") -> bytes:
    """The head of an answer."""
    lines = [f"HTTP/{version} {status}", f"Content-Type: {kind}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def cut(data: bytes, *places: int) -> list[bytes]:
    """`data` in pieces."""
    ends = [0, *sorted(places), len(data)]
    return [data[before:after] for before, after in pairwise(ends)]
