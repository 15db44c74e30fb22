"""Whether a server that we started can be reached from other machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

import psutil

from python_runner.common.errors import EngineStartError


@dataclass(frozen=True, kw_only=True)
class OpenSocket:
    """A socket that waits for others: TCP that listens, or UDP."""

    kind: str
    address: str
    port: int

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return ip_address(self.address.partition("%")[0]).is_loopback

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.kind} {host}:{self.port}"


def open_sockets(pid: int) -> set[OpenSocket]:
    """Those of a process and of all below it; none of one that has ended."""
    return {each for process in _tree(pid) for each in _sockets(process)}


def check_is_local(title: str, pid: int, port: int) -> None:
    """Raise EngineStartError if the server's own port is open to other machines."""
    outside = sorted(
        str(each) for each in open_sockets(pid) if each.port == port and not each.is_local
    )
    if outside:
        raise EngineStartError(
            f"{title} was told to listen on 127.0.0.1 and listens on {', '.join(outside)}, where "
            "other machines reach it; it was ended",
            hint="If its file is your own, its command has to pass on {host}.",
        )


def _tree(pid: int) -> list[psutil.Process]:
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _sockets(process: psutil.Process) -> Iterator[OpenSocket]:
    for kind in ("tcp", "udp"):
        try:
            found = process.net_connections(kind=kind)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return
        for each in found:
            # UDP that is connected takes packets of one sender only.
            waits = each.status == psutil.CONN_LISTEN if kind == "tcp" else not each.raddr
            if waits and each.laddr:
                yield OpenSocket(kind=kind, address=each.laddr.ip, port=each.laddr.port)
