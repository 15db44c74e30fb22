"""Servers are for this machine only."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from python_runner.common.errors import EngineStartError
from python_runner.common.processes import start_child
from python_runner.common.progress import SilentProgress
from python_runner.engines.served.reachable import open_sockets
from python_runner.engines.served.server_process import ServerProcess, start_server
from python_runner.engines.served.truth import prepare_truth_server, truth_server
from python_runner.engines.servers.read import shipped_servers
from tests.contract.processes import alive, wait_until
from tests.faults.fault import fault
from tests.real.command import TIMEOUT_S, Marked

_LISTENS = """
import socket, sys, time
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family) as listener:
    if family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind((sys.argv[1], int(sys.argv[2])))
    listener.listen()
    time.sleep(60)
"""


class _Server(ServerProcess):
    """One that is up as soon as it is there, whatever it listens on."""

    def is_listening(self) -> bool:
        return bool(open_sockets(self.pid))


def started(address: str, folder: Path) -> tuple[_Server, bool]:
    def launch(port: int) -> _Server:
        command = [sys.executable, "-c", _LISTENS, address, str(port)]
        log = folder / "log"
        return _Server("the server", start_child(command, log=log), port, log)

    return start_server(launch, lambda server: True, port_taken="in use", timeout_s=30.0)


@fault(
    "an engine's server listens on all addresses of the machine",
    injected="a server that ignores what it was told and binds 0.0.0.0, or `::` for both kinds",
    seen="the address that is open, and that the server was ended; exit code 5",
    kept="all of other stacks; the server is gone",
)
@pytest.mark.parametrize("address", ["0.0.0.0", "::"])  # noqa: S104 - what the test is about
def test_a_server_that_is_open_to_others_is_ended(tmp_path: Path, address: str) -> None:
    with pytest.raises(EngineStartError, match="where other machines reach it") as raised:
        started(address, tmp_path)
    assert address in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@fault(
    "an engine's server listens on this machine alone",
    injected="servers on 127.0.0.1 and ::1",
    seen="nothing",
    kept="all",
)
def test_a_server_of_this_machine_is_let_be(tmp_path: Path, address: str) -> None:
    server, _ = started(address, tmp_path)
    assert alive([server.pid])
    server.stop()


@fault(
    "our own servers could be reached from elsewhere",
    injected="a look at every socket of `polystack mock` and of the truth server, TCP and UDP, "
    "IPv4 and IPv6",
    seen="nothing",
    kept="each has one socket, on 127.0.0.1",
)
def test_our_own_servers_listen_on_this_machine_only(tmp_path: Path) -> None:
    before = open_sockets(os.getpid())
    server = truth_server(prepare_truth_server(SilentProgress()))(ttft="1ms", itl="1ms")
    ours = open_sockets(os.getpid()) - before
    assert [each.address for each in ours] == ["127.0.0.1"]
    assert httpx.get(f"{server.url}/v1/models", trust_env=False).is_success
    server.stop()
    with Marked(tmp_path).start("mock") as mock:
        try:
            wait_until(lambda: bool(open_sockets(mock.pid)), "the mock listens")
            assert {each.address for each in open_sockets(mock.pid)} == {"127.0.0.1"}
        finally:
            mock.send_signal(signal.SIGINT)
            mock.communicate(timeout=TIMEOUT_S)


@fault(
    "a server of the catalogue would be started for everyone, or with code of the model",
    injected="a look at every command line and container of engines/servers/*.toml",
    seen="nothing",
    kept="each is told the address; no command trusts code that comes with a model",
)
@pytest.mark.parametrize("name", shipped_servers())
def test_every_command_of_the_catalogue(name: str) -> None:
    row = shipped_servers()[name]
    words = (*row.command, *row.environment.values())
    assert any("{host}" in word for word in words)
    container = row.container
    shown = " ".join([*words, *(container.arguments if container else ())])
    assert not re.search(r"trust.remote.code|0\.0\.0\.0|--network|--net\b|-p\b|--publish", shown)
    if container:
        assert not re.search(r"trust.remote.code", " ".join(container.command))


@fault(
    "a child of ours would tell a key to whoever lists its variables",
    injected="keys in the environment while a child is started and a program is asked its version",
    seen="nothing",
    kept="the child has all other variables",
)
def test_children_do_not_inherit_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from python_runner.common.build.commands import run_build
    from python_runner.common.progress import SilentProgress as Silent

    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-of-a-child")
    monkeypatch.setenv("MY_HEADER", "Bearer sk-canary-of-a-child")
    monkeypatch.setenv("PLAIN", "plain")
    show = [sys.executable, "-c", "import os; print(dict(os.environ))"]
    child = start_child(show, log=tmp_path / "child.log")
    assert child.wait(TIMEOUT_S) == 0
    with Silent().task("x") as task:
        run_build(show, log=tmp_path / "build.log", task=task)
    for log in ("child.log", "build.log"):
        said = (tmp_path / log).read_text()
        assert "'PLAIN': 'plain'" in said
        assert "sk-canary" not in said


_FORKED = "import os; print(os.environ.get('HF_TOKEN', 'none'))"


@fault(
    "the token of the hub would reach an engine",
    injected="HF_TOKEN in the environment of a child",
    seen="nothing",
    kept="the token is for fetching, in our own process only",
)
def test_the_hubs_token_is_for_fetching_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    child = start_child([sys.executable, "-c", _FORKED], log=tmp_path / "log")
    assert child.wait(TIMEOUT_S) == 0
    assert (tmp_path / "log").read_text().split() == ["none"]
    assert subprocess.run(
        [sys.executable, "-c", _FORKED], capture_output=True, text=True, check=True
    ).stdout.split() == ["hf_canary"]
