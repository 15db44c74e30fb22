"""When a server is started again, and when it is given up."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from python_runner.common.errors import EngineCrashError, EngineStartError
from python_runner.engines.served.server_process import PortTakenError, ServerProcess, start_server


class PaperServer(ServerProcess):
    """A server without a process: each look at it does what it was made with."""

    def __init__(self, log: Path, looks: list[Callable[[], bool]]) -> None:
        super().__init__("paper", cast("subprocess.Popen[bytes]", None), 4711, log)
        self._looks = looks
        self.is_stopped = False

    def is_listening(self) -> bool:
        return self._looks.pop(0)()

    def check_is_running(self, doing: str) -> None:
        """It has no process that could end."""

    def check_is_local(self) -> None:
        """Nor one that could listen."""

    def check_listens_alone(self) -> None:
        """It does not listen."""

    def stop(self) -> None:
        self.is_stopped = True


class Fleet:
    """Starts one server after the other."""

    def __init__(self, folder: Path, *looks: Callable[[], bool]) -> None:
        self.started: list[PaperServer] = []
        self._log = folder / "log"
        self._looks = list(looks)

    def launch(self, port: int) -> PaperServer:
        # What a server does not use is left for the next.
        server = PaperServer(self._log, self._looks)
        self.started.append(server)
        return server

    def start(self, *, timeout_s: float = 60.0) -> tuple[PaperServer, str]:
        return start_server(
            self.launch, lambda server: "hello", port_taken="in use", timeout_s=timeout_s
        )


def up() -> bool:
    return True


def not_yet() -> bool:
    return False


def port_in_use() -> bool:
    raise EngineCrashError("ended: bind: address in use")


def elsewhere() -> bool:
    raise PortTakenError("listens elsewhere")


def broken_model() -> bool:
    raise EngineCrashError("ended: no such tensor", hint="The whole log: log")


def ctrl_c() -> bool:
    raise KeyboardInterrupt


def test_a_server_that_is_up_is_handed_over(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, not_yet, up)
    server, answer = fleet.start()
    assert answer == "hello"
    assert fleet.started == [server]
    assert not server.is_stopped


@pytest.mark.parametrize("race", [port_in_use, elsewhere])
def test_a_lost_race_for_the_port_is_run_again(tmp_path: Path, race: Callable[[], bool]) -> None:
    fleet = Fleet(tmp_path, race, race, up)
    server, _ = fleet.start()
    assert fleet.started[-1] is server
    assert [started.is_stopped for started in fleet.started] == [True, True, False]


@pytest.mark.parametrize("race", [port_in_use, elsewhere])
def test_a_race_that_is_always_lost_is_given_up(tmp_path: Path, race: Callable[[], bool]) -> None:
    fleet = Fleet(tmp_path, *[race] * 10)
    with pytest.raises(EngineStartError):
        fleet.start()
    assert [started.is_stopped for started in fleet.started] == [True] * 3


def test_any_other_end_is_told_at_once(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, not_yet, broken_model)
    with pytest.raises(EngineStartError, match="no such tensor") as raised:
        fleet.start()
    assert raised.value.hint == "The whole log: log"
    assert [started.is_stopped for started in fleet.started] == [True]


def test_a_server_that_is_never_up_is_ended(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, *[not_yet] * 10)
    (tmp_path / "log").write_text("loading\n")
    with pytest.raises(EngineStartError, match=r"not ready after 0 s:\nloading"):
        fleet.start(timeout_s=0.0)
    assert [started.is_stopped for started in fleet.started] == [True]


def test_ctrl_c_leaves_no_server(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, not_yet, ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        fleet.start()
    assert [started.is_stopped for started in fleet.started] == [True]
