"""A server that runs in a container: its command line, and its end with ours."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.processes import free_port
from python_runner.engines.served.server_process import ServerProcess
from python_runner.engines.servers.find import Found
from python_runner.engines.servers.schema import Container
from python_runner.engines.servers.words import Filling

_GUARD = Path(__file__).with_name("container_guard.py")
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - inside the container; outside, its port is on 127.0.0.1
_MODEL = Path("/model")
_SCRATCH = "/scratch"
_REMOVAL_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Inside:
    """What a container is given from outside."""

    model: Path
    """The folder of the weights; seen inside as `/model/NAME`, read-only."""
    scratch: Path
    """The folder of its settings; seen inside as `/scratch`, read-only."""

    @property
    def words(self) -> Mapping[str, str]:
        """What stands inside for placeholders that name folders or places."""
        return {
            "model": str(_MODEL / self.model.name),
            "model_parent": str(_MODEL),
            "scratch": _SCRATCH,
            "host": _EVERYWHERE,
        }


def container_command(
    container: Container,
    found: Found,
    inside: Inside,
    filling: Filling,
    port: int,
    *,
    more: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> list[str]:
    """The words that run the image, its port on 127.0.0.1 only, until we end.

    Args:
        container: what the server's file says.
        found: the program for containers, and the image.
        inside: what it is given.
        filling: what the placeholders stand for, outside.
        port: outside.
        more: for the end of its command line.
        environment: variables for it.
    """
    name = f"polystack-{os.getpid()}-{port}"
    own = filling.with_known(
        {**inside.words, "port": str(container.port), "spare_port": str(free_port())}
    )
    variables = [f"--env={key}={own(value)}" for key, value in (environment or {}).items()]
    return [
        *(sys.executable, str(_GUARD), str(found.container), name),
        *("run", "--rm", "--pull=never", f"--name={name}"),
        f"--publish=127.0.0.1:{port}:{container.port}",
        f"--volume={inside.model.resolve()}:{_MODEL / inside.model.name}:ro",
        f"--volume={inside.scratch.resolve()}:{_SCRATCH}:ro",
        *variables,
        *own.words(container.arguments),
        found.image,
        *own.words(container.command),
        *own.words(more),
    ]


class ContainerProcess(ServerProcess):
    """The program that runs the container; who listens is not below us."""

    def __init__(
        self,
        title: str,
        child: subprocess.Popen[bytes],
        port: int,
        log: Path,
        *,
        grace_s: float,
    ) -> None:
        """As `ServerProcess`, with the time that removing a container takes."""
        super().__init__(title, child, port, log, grace_s=max(grace_s, _REMOVAL_S))

    def is_listening(self) -> bool:
        """True: whether it is up, its answers tell."""
        return True

    def check_listens_alone(self) -> None:
        """Not to be seen: who listens for it is not below us."""


class ServerTree(ServerProcess):
    """A server whose listener may be a child of the process that was started.

    Such servers open ports among themselves, so that other ports say nothing.
    """

    def is_listening(self) -> bool:
        """Whether anything below it holds its port."""
        return self._port in self.listening_ports()

    def listening_ports(self) -> frozenset[int]:
        """Of the whole tree."""
        return super().listening_ports() | listening_below(self._child)


def listening_below(child: subprocess.Popen[bytes]) -> frozenset[int]:
    """Where the descendants of a process listen."""
    import psutil

    ports: set[int] = set()
    try:
        below = psutil.Process(child.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return frozenset()
    for process in below:
        try:
            found = process.net_connections(kind="tcp4")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        ports |= {c.laddr.port for c in found if c.status == psutil.CONN_LISTEN}
    return frozenset(ports)
