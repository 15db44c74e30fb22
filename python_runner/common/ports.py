"""Ports on this machine: a free one, and who listens on one."""

from __future__ import annotations

import socket
from pathlib import Path

import psutil

_TABLE = Path("/proc/net/tcp")
_LISTEN = "0A"


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def listeners(port: int, table: Path = _TABLE) -> int:
    """How many sockets listen on a port, over IPv4; 0 where the kernel has no such table.

    One file is read: `holders` looks at every process.
    """
    try:
        rows = table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return 0
    wanted = f":{port:04X}"
    words = (row.split() for row in rows)
    return sum(row[1].endswith(wanted) and row[3] == _LISTEN for row in words)


def holders(port: int) -> set[int]:
    """The processes that listen on a port, as far as we may see them; -1: one that we may not."""
    found = psutil.net_connections(kind="tcp4")
    return {
        -1 if each.pid is None else each.pid
        for each in found
        if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr[1] == port
    }
