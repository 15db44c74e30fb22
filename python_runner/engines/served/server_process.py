"""A server of an engine as our child: it gets a port, is up when it answers, and ends with us."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.common.errors import (
    EngineCrashError,
    EngineStartError,
    GenerationError,
    reason_of,
)
from python_runner.common.memory_end import kernel_kills, kills_since, memory_end
from python_runner.common.ports import free_port, holders, listeners
from python_runner.common.process_tree import below
from python_runner.common.processes import (
    describe_exit,
    likely_cause,
    mark_of,
    stop_tree,
    tail,
)
from python_runner.engines.served.reachable import check_is_local
from python_runner.engines.served.streaming import NotAnsweredError

_PORT_ATTEMPTS = 3
_POLL_S = 0.02
_POLL_SHARE = 0.01
"""Of the time waited so far: a long wait is not asked about fifty times a second."""
_EXIT_GRACE_S = 2.0
_GRACE_S = 5.0
_LOG_LINES = 12


class ServerProcess:
    """One server process on a port of its own. Give it to `start_server`."""

    def __init__(
        self,
        title: str,
        child: subprocess.Popen[bytes],
        port: int,
        log: Path,
        *,
        grace_s: float = _GRACE_S,
    ) -> None:
        """Take over a child that was just started with `port` on its command line.

        `grace_s` is the time between SIGTERM and SIGKILL when it is stopped.
        """
        self.title = title
        self.url = f"http://127.0.0.1:{port}"
        self.log = log
        self.started_ns = now_ns()
        self._child = child
        self._port = port
        self._grace_s = grace_s
        self._stopping = threading.Event()
        self._kills = kernel_kills()

    @property
    def pid(self) -> int:
        return self._child.pid

    def end_of_log(self) -> str:
        """The last lines of its output, for an error message."""
        return tail(self.log, _LOG_LINES)

    def listening_ports(self) -> frozenset[int]:
        """Where the process listens; another process may answer on the port meant for it."""
        try:
            found = psutil.Process(self._child.pid).net_connections(kind="tcp4")
        except psutil.NoSuchProcess:
            return frozenset()
        return frozenset(c.laddr.port for c in found if c.status == psutil.CONN_LISTEN)

    def is_listening(self) -> bool:
        """Whether it holds its port. Raises PortTakenError if it took another instead."""
        ports = self.listening_ports()
        if ports and self._port not in ports:
            raise PortTakenError(
                f"{self.title} listens on port {min(ports)} and was given {self._port}",
                hint="Another program took that port first. Run it again.",
            )
        return bool(ports)

    def check_is_local(self) -> None:
        """Raises EngineStartError if other machines can reach the port that it was given."""
        check_is_local(self.title, self._child.pid, self._port)

    def check_is_running(self, doing: str) -> None:
        """Raises EngineCrashError if it has ended.

        To be called before each request: on the port of a dead server somebody else may answer.
        """
        if self._stopping.is_set():
            raise EngineCrashError(f"{self.title} was stopped")
        if self._child.poll() is not None:
            raise self.crash(doing)

    def check_listens_alone(self) -> None:
        """Raises PortTakenError if another process listens on its port, too.

        The kernel allows that to programs that ask for it, and deals connections out among them.
        """
        if listeners(self._port) < 2:
            return
        ours = {self.pid, *(each.pid for each in below(self._child, mark_of(self._child)))}
        if strangers := holders(self._port) - ours:
            raise PortTakenError(
                f"port {self._port}, meant for {self.title}, is also listened on by another "
                f"program (process {', '.join(map(str, sorted(strangers)))})",
                hint="What it answered would be taken for the engine's. Run it again.",
            )

    def has_ended(self) -> bool:
        """Whether the process is gone; one that is just ending is waited for, briefly."""
        try:
            self._child.wait(timeout=_EXIT_GRACE_S)
        except subprocess.TimeoutExpired:
            return False
        return True

    def raise_if_gone(self, cause: GenerationError | None) -> None:
        """Raise EngineCrashError if a request failed, by `cause`, because the server is gone."""
        if self._stopping.is_set():
            raise EngineCrashError(f"{self.title} was stopped while answering") from cause
        if isinstance(cause, NotAnsweredError) and self.has_ended():
            raise self.crash("answering") from cause

    def crash(self, doing: str) -> EngineCrashError:
        """How the process ended; call it when it has."""
        code = self._child.wait()
        log = self.end_of_log()
        memory = memory_end(code, log, kills=kills_since(self._kills))
        words = f":\n{log}" if log else ", and printed nothing"
        return EngineCrashError(
            f"{memory}{': ' if memory else ''}{self.title} ended by itself "
            f"({describe_exit(code)}) while {doing}{words}",
            hint=f"{likely_cause(code)}The whole log: {self.log}",
        )

    def ending(self) -> str:
        """How it ended by itself; empty: it runs, or was stopped by us. Waits briefly."""
        if self._stopping.is_set() or not self.has_ended():
            return ""
        return reason_of(self.crash("under load"))

    def stop(self) -> None:
        """End the server and all below it, also from another thread. Safe to call twice."""
        self._stopping.set()
        stop_tree(self._child, grace_s=self._grace_s)


class PortTakenError(EngineStartError):
    """Another process took the port between its choice and its use."""


_Server = TypeVar("_Server", bound=ServerProcess)
_Answer = TypeVar("_Answer")


def start_server(
    launch: Callable[[int], _Server],
    is_up: Callable[[_Server], _Answer | None],
    *,
    port_taken: str,
    timeout_s: float,
) -> tuple[_Server, _Answer]:
    """A server that answers, and its first answer.

    Args:
        launch: starts the process; gets the port.
        is_up: asks it; None as long as it is not ready.
        port_taken: what it logs when the port is in use. Then another port is tried.
        timeout_s: from the start of the first attempt until it must be up.

    Raises:
        EngineStartError: it ended, or was not up in time; the end of its log is in the message.
    """
    deadline_ns = now_ns() + int(timeout_s * NS_PER_S)
    for attempt in range(1, _PORT_ATTEMPTS + 1):
        server = launch(free_port())
        try:
            answer = _wait_until_up(server, is_up, deadline_ns, timeout_s)
            server.check_is_local()
            server.check_listens_alone()
            return server, answer
        except (EngineCrashError, PortTakenError) as error:
            server.stop()
            is_race = isinstance(error, PortTakenError) or port_taken in error.message
            if not is_race or attempt == _PORT_ATTEMPTS:
                raise EngineStartError(error.message, hint=error.hint) from error
        except BaseException:  # Ctrl-C too must not leave the process behind
            server.stop()
            raise
    raise AssertionError("the last attempt returns or raises")


def _wait_until_up(
    server: _Server,
    is_up: Callable[[_Server], _Answer | None],
    deadline_ns: int,
    timeout_s: float,
) -> _Answer:
    while not server.is_listening() or (answer := is_up(server)) is None:
        server.check_is_running("starting")
        if now_ns() > deadline_ns:
            words = server.end_of_log()
            raise EngineStartError(
                f"{server.title} did not answer in time: it was not ready after {timeout_s:g} s"
                + (f":\n{words}" if words else ", and printed nothing"),
                hint=f"Allow more time (start_timeout in the study). The whole log: {server.log}",
            )
        waited_s = (now_ns() - server.started_ns) / NS_PER_S
        time.sleep(max(_POLL_S, waited_s * _POLL_SHARE))
    return answer
