"""A port that another program has: what that one answers is never measured."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from python_runner.common.errors import EngineCrashError, EngineStartError
from python_runner.common.ports import free_port
from python_runner.engines.contract import Reach
from python_runner.engines.served import server_process
from tests.contract.processes import wait_until
from tests.faults.engines.pipeline import ASKED, Bench, Faulty
from tests.faults.fault import fault

_WELL = Faulty(reach=Reach.SERVED)
_SHARES = Faulty(reach=Reach.SERVED, also="shares-its-port")


class _Handler(BaseHTTPRequestHandler):
    """A healthy server, as a user may have one running."""

    server: Stranger

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Nothing."""

    def do_GET(self) -> None:
        body = json.dumps({"version": "1"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.server.asked += 1
        self.do_GET()


class Stranger(ThreadingHTTPServer):
    """Somebody else's server; counts what it is asked to answer."""

    daemon_threads = True

    def __init__(self, port: int, *, shares: bool) -> None:
        self.asked = 0
        self._shares = shares
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        if self._shares:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()


@contextmanager
def stranger(port: int = 0, *, shares: bool = False) -> Iterator[Stranger]:
    with Stranger(port, shares=shares) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(folder=tmp_path, stacks=(_WELL, _SHARES))
    made.set_up(monkeypatch)
    return made


def _choose(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """These are chosen first, as if they had been free a moment ago."""
    first = list(ports)
    monkeypatch.setattr(server_process, "free_port", lambda: first.pop(0) if first else free_port())


@pytest.mark.parametrize(
    ("stack", "shares"),
    [
        pytest.param(
            _WELL,
            False,
            id="taken",
            marks=fault(
                "port taken between choice and use, by a server that answers as a healthy one",
                injected="another server listens on the port that is chosen",
                seen="nothing: the engine is started on another port",
                kept="everything; the other server is asked for no answer",
            ),
        ),
        pytest.param(
            _SHARES,
            True,
            id="shared",
            marks=fault(
                "port shared with another server: the kernel deals connections out to both",
                injected="both listen with SO_REUSEPORT",
                seen="nothing: the engine is started on another port",
                kept="everything; the other server is asked for no answer",
            ),
        ),
    ],
)
def test_a_port_of_another_is_left_to_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, stack: Faulty, shares: bool
) -> None:
    with stranger(shares=shares) as other:
        _choose(monkeypatch, other.server_address[1])
        with bench.start(stack) as running:
            assert running.generate(ASKED).output_tokens == ASKED.new_tokens
        assert other.asked == 0
    assert not bench.processes()


@fault(
    "port taken at every attempt",
    injected="another server shares each of the three ports that are chosen",
    seen="`is also listened on by another program`, with its process id; exit code 5",
    kept="all of the other stacks",
)
def test_a_port_that_is_always_shared_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stranger(shares=True) as other:
        _choose(monkeypatch, *[other.server_address[1]] * 3)
        with pytest.raises(EngineStartError, match="also listened on by another") as raised:
            bench.start(_SHARES)
        assert str(os.getpid()) in raised.value.message
        assert other.asked == 0
    assert not bench.processes()


@fault(
    "served engine dies, and another server takes its port before the next request",
    injected="SIGKILL between two requests, then a server on the same port",
    seen="`ended by itself (signal SIGKILL) while waiting for a request`; exit code 5",
    kept="what it had answered; the other server is asked for no answer",
)
def test_who_takes_the_port_of_a_dead_server_is_not_asked(bench: Bench) -> None:
    with bench.start(_WELL) as running:
        running.generate(ASKED)
        (pid,) = running.process_ids()
        (port,) = {
            each.laddr.port
            for each in psutil.Process(pid).net_connections(kind="tcp4")
            if each.status == psutil.CONN_LISTEN
        }
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, "the server is dead"
        )
        with stranger(port) as other:
            with pytest.raises(EngineCrashError, match=r"SIGKILL.* while waiting for a request"):
                running.generate(ASKED)
            assert other.asked == 0
