"""`polystack load` as a user types it: on servers that are well, and on what is none."""

from __future__ import annotations

import contextlib
import signal
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from python_runner.analyse.load.request import request_figures
from python_runner.common.progress import SilentProgress
from python_runner.engines.served.truth import prepare_truth_server, truth_server
from python_runner.store import Store, read_frames
from tests.contract.processes import wait_until
from tests.real.command import TIMEOUT_S, Marked

BRIEF = ("--users", "2", "--requests", "6", "--new-tokens", "4", "--prompt-tokens", "8")


@pytest.fixture(scope="module")
def server_class() -> Any:
    return truth_server(prepare_truth_server(SilentProgress()))


def rows(folder: Path, query: str) -> list[Any]:
    path = folder / "results" / "polystack.sqlite"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        return store.execute(query).fetchall()


def kept_so_far(folder: Path) -> int:
    """Requests in the store; none where it is not made yet."""
    with contextlib.suppress(sqlite3.OperationalError):
        ((count,),) = rows(folder, "SELECT COUNT(*) FROM load_requests")
        return int(count)
    return 0


@contextlib.contextmanager
def says(answer: bytes) -> Iterator[str]:
    """A server that gives every connection this answer and closes it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(1 << 16)
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_server_that_runs(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="10ms", itl="2ms")
    code, printed = Marked(tmp_path).run("load", "--url", server.url, *BRIEF, "--slo", "ttft=1s")
    assert code == 0, printed
    assert "2 users" in printed
    ((title, reach, version, model),) = rows(
        tmp_path, "SELECT title, reach, version, model FROM conditions"
    )
    assert title in server.url
    assert reach == "served"
    assert version
    assert model  # the only one that the server lists
    assert rows(tmp_path, "SELECT COUNT(*), SUM(error_kind = '') FROM load_requests") == [(6, 6)]


def test_a_key_goes_to_the_server_and_nowhere_else(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="10ms", itl="2ms")
    run = Marked(tmp_path, {"THE_KEY": "sk-never-written"})
    code, printed = run.run(
        "load", "--url", server.url, "--model", "m", "--api-key-env", "THE_KEY", *BRIEF
    )
    assert code == 0, printed
    assert "sk-never-written" not in printed
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"sk-never-written" not in path.read_bytes(), path


def test_a_key_that_the_server_repeats_is_hidden(tmp_path: Path) -> None:
    answer = b'{"error": "no such key: sk-never-written"}'
    head = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: %d\r\n\r\n" % len(answer)
    run = Marked(tmp_path, {"THE_KEY": "sk-never-written"})
    with says(head + answer) as url:
        code, printed = run.run(
            "load", "--url", url, "--model", "m", "--api-key-env", "THE_KEY", *BRIEF
        )
    assert code == 5
    assert "no such key: ***" in printed
    assert "--api-key-env" in printed


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("status-401", "--api-key-env"),
        ("status-404", "--dialect"),
        ("status-429", "Retry-After"),
        ("status-500", "status 500"),
        ("html", "no stream"),
        ("json", "no stream"),
        ("empty-stream", "without a token"),
        ("no-done", "without a mark"),
        ("close-early", "closed the connection"),
        ("error-event", "The server's words"),
    ],
)
def test_a_server_that_answers_badly(
    server_class: Any, tmp_path: Path, fault: str, said: str
) -> None:
    server = server_class(ttft="5ms", itl="2ms", fault=fault)
    code, printed = Marked(tmp_path).run("load", "--url", server.url, "--model", "m", *BRIEF)
    assert code == 5, printed
    assert said in printed
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"220 mail.example ready\r\n", "address of a server for language models"),
        (b"", "closed"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
            "no stream",
        ),
        (
            b"HTTP/1.1 302 Found\r\nLocation: https://else\r\nContent-Length: 0\r\n\r\n",
            "https://else",
        ),
    ],
)
def test_what_is_no_server_of_a_model(tmp_path: Path, answer: bytes, said: str) -> None:
    with says(answer) as url:
        code, printed = Marked(tmp_path).run("load", "--url", url, "--model", "m", *BRIEF)
    assert code == 5, printed
    assert said in printed


@pytest.mark.parametrize("model", [(), ("--model", "m")])
def test_nobody_there(tmp_path: Path, model: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    code, printed = Marked(tmp_path).run("load", "--url", url, *model, *BRIEF)
    assert code == 5
    assert f"127.0.0.1:{port}" in printed
    assert "Is the server up" in printed


def test_a_name_that_nobody_knows(tmp_path: Path) -> None:
    url = "http://no-such-host.invalid:8000"
    code, printed = Marked(tmp_path).run("load", "--url", url, "--model", "m", *BRIEF)
    assert code == 5
    assert "no-such-host.invalid" in printed


def test_more_users_than_files(server_class: Any, tmp_path: Path) -> None:
    server = server_class()
    code, printed = Marked(tmp_path).run("load", "--url", server.url, "--users", "9000000")
    assert code == 2
    assert "open files" in printed
    assert "ulimit" in printed


def test_ctrl_c_keeps_what_is_done(server_class: Any, tmp_path: Path) -> None:
    server = server_class(ttft="10ms", itl="2ms")
    words = ("load", "--url", server.url, "--model", "m", "--users", "2", "--duration", "10min")
    with Marked(tmp_path).start(*words) as process:
        wait_until(lambda: kept_so_far(tmp_path) > 10, "some requests are kept")
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130, printed
    assert "Interrupted" in printed
    assert rows(tmp_path, "SELECT status FROM runs") == [("interrupted",)]
    ((kept, cancelled),) = rows(
        tmp_path, "SELECT COUNT(*), SUM(error_kind = 'cancelled') FROM load_requests"
    )
    assert kept > 10
    assert cancelled <= 2
    ((error,),) = rows(tmp_path, "SELECT error FROM load_levels")
    assert error == "interrupted"


@pytest.mark.parametrize("engine", ["llama-server", "ollama"])
def test_an_engine_that_is_started(tmp_path: Path, engine: str) -> None:
    """The engine's own figures come with each request, beside what the client saw."""
    words = ("--users", "1,3", "--requests", "9", "--slots", "2", "--threads", "1")
    code, printed = Marked(tmp_path).run("load", "--engine", engine, *words)
    assert code == 0, printed
    found = rows(
        tmp_path,
        "SELECT users, COUNT(*), SUM(error_kind = ''), SUM(engine_timings_json != '{}')"
        " FROM load_requests JOIN load_levels USING (level_id) GROUP BY users",
    )
    assert found == [(1, 9, 9, 9), (3, 9, 9, 9)]
    with Store(tmp_path / "results" / "polystack.sqlite") as store:
        frames = read_frames(store)
    figures = request_figures(frames.load_requests, frames.load_levels)
    # On a busy machine a whole answer may come in one read: then it is not known.
    assert figures["decode_ms"].dropna().gt(0).all()
    # The mark of an end is counted by the engine only, so such an answer has no such figure.
    by_engine = figures["engine_decode_ms"][figures["stop"] == "length"]
    assert by_engine.gt(0).all()
    assert len(by_engine) > 0
    ((slots, memory),) = rows(tmp_path, "SELECT slots, peak_memory_bytes FROM conditions")
    assert slots == 2
    assert memory > 0
