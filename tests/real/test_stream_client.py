"""The native stream client against a server that sends what it is told, piece by piece."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from python_runner.common.clock import now_ns
from python_runner.common.errors import GenerationError
from python_runner.common.locations import source_root
from python_runner.common.progress import SilentProgress
from python_runner.engines.served.streaming import (
    Framing,
    NotAnsweredError,
    Stream,
    StreamClient,
    prepare_stream_client,
)
from tests.contract.processes import wait_until

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
)
END = b"0\r\n\r\n"
LIMIT_S = 20.0

Script = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def folder() -> Path:
    """Where the built client lies."""
    return prepare_stream_client(SilentProgress())


@pytest.fixture(scope="module")
def client(folder: Path) -> StreamClient:
    return StreamClient(folder)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def writes(pieces: Sequence[bytes]) -> Script:
    """Write each of `pieces` by itself when the one before was read, then close."""

    def run(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            wait_until(lambda: is_read(connection), "what was written is read")

    return run


def is_read(connection: socket.socket) -> bool:
    """Whether the other end, on this machine too, has read all that was written here."""
    ends = (connection.getsockname(), connection.getpeername())
    ours, theirs = (f":{port:04X}" for _, port in ends)
    for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        _, local, remote, _, queues, *_ = line.split()
        if local.endswith(theirs) and remote.endswith(ours):
            on_its_way = bytearray(4)
            fcntl.ioctl(connection, termios.TIOCOUTQ, on_its_way)
            return not any(on_its_way) and int(queues.partition(":")[2], 16) == 0
    return True  # it has closed


@contextlib.contextmanager
def server(script: Script, received: list[bytes] | None = None) -> Iterator[str]:
    """A server that reads one request and then does what `script` says."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            request = read_request(connection)
            if received is not None:
                received.append(request)
            script(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api"
    finally:
        thread.join()
        listener.close()


def read_request(connection: socket.socket) -> bytes:
    """A whole request whose body is `{}`."""
    data = b""
    while not data.endswith(b"\r\n\r\n{}"):
        data += connection.recv(4096)
    return data


def post(
    client: StreamClient,
    script: Script,
    *,
    framing: Framing = Framing.NDJSON,
    timeout_s: float = LIMIT_S,
) -> Stream:
    with server(script) as url:
        return client.post(url, b"{}", framing=framing, timeout_s=timeout_s)


def test_stamps_follow_each_other_on_our_clock(client: StreamClient) -> None:
    before = now_ns()
    stream = post(client, writes([HEAD, chunk(b"1\n"), chunk(b"2\n"), END]))
    stamps = [before, stream.requested_ns, *stream.event_ns, stream.ended_ns, now_ns()]
    assert stamps == sorted(stamps)
    assert stream.events == (b"1", b"2")
    assert stream.event_ns[0] < stream.event_ns[1]
    assert stream.read_index[0] < stream.read_index[1]


def test_the_request_is_whole(client: StreamClient) -> None:
    received: list[bytes] = []
    with server(writes([HEAD, END]), received) as url:
        client.post(url, b"{}", framing=Framing.NDJSON, timeout_s=LIMIT_S)
    head = received[0].lower()
    assert head.startswith(b"post /api http/1.1\r\n")
    assert b"content-length: 2\r\n" in head
    assert b"content-type: application/json\r\n" in head
    assert b"host: 127.0.0.1:" in head


def test_an_event_cut_into_pieces_is_stamped_with_the_last(client: StreamClient) -> None:
    text = '{"t": "größe 😀"}\r\n'.encode()
    body = chunk(text)
    pieces = [HEAD, chunk(b"1\n"), *(body[i : i + 5] for i in range(0, len(body), 5)), END]
    stream = post(client, writes(pieces))
    assert stream.events == (b"1", text.strip())
    assert stream.read_index[1] - stream.read_index[0] > 1


def test_events_of_one_write_share_their_read(client: StreamClient) -> None:
    stream = post(client, writes([HEAD, chunk(b"1\n") + chunk(b"2\n3\n"), chunk(b"4\n"), END]))
    assert stream.events == (b"1", b"2", b"3", b"4")
    assert len(set(stream.read_index[:3])) == 1
    assert len(set(stream.event_ns[:3])) == 1
    assert stream.read_index[3] > stream.read_index[2]


def test_head_and_answer_in_one_write(client: StreamClient) -> None:
    stream = post(client, writes([HEAD + chunk(b"1\n") + END]))
    assert stream.events == (b"1",)


def test_server_sent_events(client: StreamClient) -> None:
    body = b": hello\r\n\r\ndata: {\r\ndata: }\r\n\r\nevent: x\ndata: [DONE]\n\n"
    pieces = [HEAD, chunk(body[:12]), chunk(body[12:30]), chunk(body[30:]), END]
    stream = post(client, writes(pieces), framing=Framing.SSE)
    assert stream.events == (b"{\n}", b"[DONE]")


def test_an_answer_that_the_closing_ends(client: StreamClient) -> None:
    stream = post(client, writes([b"HTTP/1.0 200 OK\r\n\r\n", b"1\n", b"2"]))
    assert stream.events == (b"1", b"2")


def test_an_error_status_carries_the_servers_words(client: StreamClient) -> None:
    head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 21\r\n\r\n"
    with pytest.raises(GenerationError, match=r"404: .*no such model"):
        post(client, writes([head, b'{"e":"no such model"}']))


def test_a_long_error_is_cut(client: StreamClient) -> None:
    head = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 100000\r\n\r\n"

    def script(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the client may have read enough and be gone
            connection.sendall(head + b"x" * 100000)

    with pytest.raises(GenerationError) as raised:
        post(client, script)
    assert raised.value.message.count("x") <= 4096


def test_a_connection_that_closes_within_the_answer(client: StreamClient) -> None:
    with pytest.raises(NotAnsweredError, match="1 events so far"):
        post(client, writes([HEAD, chunk(b"1\n")]))


def test_a_connection_that_closes_before_the_answer(client: StreamClient) -> None:
    with pytest.raises(NotAnsweredError):
        post(client, writes([]))


def test_what_is_no_http(client: StreamClient) -> None:
    with pytest.raises(NotAnsweredError):
        post(client, writes([b"220 mail ready\r\n"]))


def test_a_server_that_stalls_is_not_waited_for_for_ever(client: StreamClient) -> None:
    gave_up = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.sendall(HEAD + chunk(b"1\n"))
        gave_up.wait(LIMIT_S)

    with server(script) as url:
        with pytest.raises(GenerationError, match=r"after 1\.5 s \(1 events so far\)"):
            client.post(url, b"{}", framing=Framing.NDJSON, timeout_s=1.5)
        gave_up.set()


def test_nobody_there(client: StreamClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotAnsweredError, match="cannot connect"):
        client.post(f"http://127.0.0.1:{port}/", b"{}", framing=Framing.NDJSON, timeout_s=1)


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "/api", "127.0.0.1", "http://"])
def test_what_is_no_url(client: StreamClient, url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        client.post(url, b"{}", framing=Framing.NDJSON, timeout_s=1)


def test_other_threads_run_while_it_waits(client: StreamClient) -> None:
    """The answer ends when another thread has had its turn; without one it never does."""

    def script(connection: socket.socket) -> None:
        connection.sendall(HEAD)
        other = threading.Thread(target=os.sched_yield)
        other.start()
        other.join()
        connection.sendall(chunk(b"1\n") + END)

    assert post(client, script).events == (b"1",)


def test_ctrl_c_ends_the_wait(client: StreamClient) -> None:
    gave_up = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.sendall(HEAD)
        os.kill(os.getpid(), signal.SIGINT)
        gave_up.wait(LIMIT_S)

    with server(script) as url:
        with pytest.raises(KeyboardInterrupt):
            client.post(url, b"{}", framing=Framing.NDJSON, timeout_s=LIMIT_S)
        gave_up.set()


def test_the_stub_is_what_the_module_is(folder: Path) -> None:
    crate = source_root() / "native" / "rust" / "stream-client"
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy.stubtest", "polystack_stream"),
            *("--allowlist", crate / "stubtest-allowlist.txt"),
        ],
        env={**os.environ, "PYTHONPATH": str(folder), "MYPYPATH": str(crate)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
