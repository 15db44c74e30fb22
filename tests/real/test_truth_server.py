"""The server whose truth is known: what it says against a second reader, a bare socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from python_runner.common.clock import now_ns
from python_runner.common.locations import source_root
from python_runner.common.progress import SilentProgress
from python_runner.engines.served.truth import prepare_truth_server, served_requests, truth_server
from tests.real.command import Marked

LIMIT_S = 30.0


@pytest.fixture(scope="module")
def folder() -> Path:
    return prepare_truth_server(SilentProgress())


@pytest.fixture(scope="module")
def server_class(folder: Path) -> Any:
    return truth_server(folder)


def read_bare(url: str, tokens: int) -> list[int]:
    """Ask by hand, and stamp the read that completes each event with content."""
    host, port = url.removeprefix("http://").split(":")
    body = json.dumps({"prompt": "x", "max_tokens": tokens, "stream": True}).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    stamps: list[int] = []
    received = b""
    with socket.create_connection((host, int(port)), timeout=LIMIT_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head + body)
        while not received.endswith(b"0\r\n\r\n"):
            piece = connection.recv(65536)
            stamp = now_ns()
            assert piece
            received += piece
            seen = received.count(b'"finish_reason":null}]}\n\n')
            stamps += [stamp] * (seen - len(stamps))
    return stamps


def test_its_stamps_lie_before_those_of_a_second_reader(server_class: Any) -> None:
    server = server_class(ttft="20ms", itl="20ms")
    before = now_ns()
    stamps = read_bare(server.url, 30)
    served = served_requests(server.truth())["0"]

    assert len(stamps) == len(served.written_ns) == 30
    assert before < served.seen_ns
    # Never before it was due, and on the wire before anybody has read it…
    assert np.all(served.due_ns <= served.written_ns)
    assert np.all(served.written_ns < stamps)
    # …and before the next was written: a stamp that belonged to another event would be none of
    # them. A busy machine may let the reader, or the server at its stamp, wait for a while.
    assert np.mean(served.written_ns[1:] > np.array(stamps[:-1])) > 0.5


def test_the_schedule_is_the_one_that_was_asked_for(server_class: Any) -> None:
    server = server_class(ttft="10ms", itl="2ms", slow_every=5, slow_extra="9ms")
    read_bare(server.url, 11)
    served = served_requests(server.truth())["0"]
    gaps = np.diff(served.due_ns)
    expected = [2_000_000] * 4 + [11_000_000] + [2_000_000] * 4 + [11_000_000]
    assert gaps.tolist() == expected
    assert served.due_ns[0] - served.seen_ns >= 10_000_000


def test_a_stall_writes_nothing(server_class: Any) -> None:
    server = server_class(ttft="1ms", itl="10ms", stall_after="25ms", stall_for="60ms")
    read_bare(server.url, 6)
    served = served_requests(server.truth())["0"]
    # What is due before the stall may be written late on a busy machine; nothing is due in it.
    since = served.due_ns - served.seen_ns
    assert not np.any((since > 26_000_000) & (since < 84_000_000))
    assert np.all(served.written_ns >= served.due_ns)
    assert np.max(np.diff(served.due_ns)) >= 50_000_000


def test_what_is_drawn_hangs_on_the_seed_alone(server_class: Any) -> None:
    def gaps(seed: int) -> list[int]:
        server = server_class(ttft="1ms", itl="lognormal:2ms,0.5", seed=seed)
        read_bare(server.url, 8)
        gaps: list[int] = np.diff(served_requests(server.truth())["0"].due_ns).tolist()
        return gaps

    assert gaps(1) == gaps(1)
    assert gaps(1) != gaps(2)


def test_its_truth_can_be_read_by_other_processes_and_forgotten(server_class: Any) -> None:
    server = server_class(ttft="1ms", itl="1ms")
    read_bare(server.url, 3)
    (request,) = httpx.get(f"{server.url}/truth", timeout=LIMIT_S).json()["requests"]
    served = served_requests(server.truth())["0"]
    assert request["request_id"] == "0"
    assert request["seen_ns"] == served.seen_ns
    assert request["written_ns"] == served.written_ns.tolist()
    server.clear()
    assert served_requests(server.truth()) == {}


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/health", "status"),
        ("/v1/models", "data"),
        ("/api/tags", "models"),
        ("/api/version", "version"),
        ("/props", "total_slots"),
    ],
)
def test_it_answers_as_servers_do(server_class: Any, path: str, key: str) -> None:
    server = server_class()
    assert key in httpx.get(server.url + path, timeout=LIMIT_S).json()


@pytest.mark.parametrize(
    ("length", "body"),
    [
        pytest.param(2**64 - 1, b"", id="a length beyond all memory"),
        pytest.param(40, b'{"stream":true,"max_tokens":4294967295} ', id="as many tokens"),
    ],
)
def test_it_outlives_a_request_for_too_much(server_class: Any, length: int, body: bytes) -> None:
    server = server_class(ttft="1ms", itl="1s")
    host, port = server.url.removeprefix("http://").split(":")
    head = f"POST /v1/completions HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode()
    with socket.create_connection((host, int(port)), timeout=LIMIT_S) as connection:
        connection.sendall(head + body)
        assert connection.recv(8) == b"HTTP/1.1"
    assert httpx.get(f"{server.url}/health", timeout=LIMIT_S).status_code == 200


def test_it_is_gone_when_it_is_stopped(server_class: Any) -> None:
    server = server_class()
    server.stop()
    server.stop()
    with pytest.raises(OSError, match="refused"):
        read_bare(server.url, 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ttft": "soon"}, "ttft: .*no delay"),
        ({"slow_extra": "5"}, "slow_extra: .*no time"),
        ({"tokens": 0}, "tokens must be at least 1"),
        ({"fault": "fire"}, "there are status-400"),
    ],
)
def test_arguments_that_make_no_sense(
    server_class: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        server_class(**options)


def test_a_port_that_is_taken(server_class: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} .* cannot be had"):
            server_class(port=port)


def test_the_command_serves_until_it_is_told_to_end(folder: Path, tmp_path: Path) -> None:
    marked = Marked(tmp_path)
    with marked.start("mock", "--ttft", "1ms", "--itl", "1ms") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "serves no model: TTFT 1ms" in line, line
        read_bare(line.split()[0], 4)
        process.send_signal(signal.SIGTERM)
        printed = process.stdout.read()
    assert process.returncode == 0
    assert "1 requests answered; events were late by" in printed
    assert not marked.processes()


def test_the_command_explains_what_it_cannot_do(folder: Path, tmp_path: Path) -> None:
    code, printed = Marked(tmp_path).run("mock", "--itl", "quickly")
    assert code == 2
    assert "no delay" in printed


def test_the_stub_is_what_the_module_is(folder: Path) -> None:
    source = source_root() / "native" / "rust" / "truth-server"
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy.stubtest", "polystack_truth"),
            *("--allowlist", source / "stubtest-allowlist.txt"),
        ],
        env={**os.environ, "PYTHONPATH": str(folder), "MYPYPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
