"""How long the way to somebody else's server is, measured apart from what the server does.

Each reading opens a connection of its own and closes it: the host's name is resolved, TCP
connects, TLS shakes hands (a whole handshake: no session is resumed), and then a request that
asks for next to nothing goes there and back on the connection that stands. That request is
`HEAD /v1/models`: it takes the same way as the requests that are timed, with the same key, through
the same proxies, and no model computes for it. Any status will do, for it is the time that counts.
The server's own handling of it is in the round trip; the time of TCP is without it.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from python_runner.common.clock import now_ns
from python_runner.common.errors import PolystackError, reason_of
from python_runner.engines.outside.api_key import hide
from python_runner.engines.outside.target import Outside

_TIMEOUT_S = 5.0
_HEAD_BYTES = 1 << 16
_END = b"\r\n\r\n"
_PORTS = {"http": 80, "https": 443}

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""As `socket.getaddrinfo` gives it."""


@dataclass(frozen=True, kw_only=True)
class NetworkReading:
    """One look at the way there. Nanoseconds; None: it did not come to that."""

    when: str
    """`before` or `after` what was measured."""
    name_ns: int | None = None
    """Resolving the host's name, as this machine's resolver does it, caches and all."""
    tcp_ns: int | None = None
    """Opening a connection: one round trip to whatever accepts it."""
    tls_ns: int | None = None
    """A whole handshake; 0: it is not encrypted."""
    round_trip_ns: int | None = None
    """From the last byte of a small request to the first of its answer, on a connection that
    stands."""
    error: str = ""
    """Why something is missing."""

    def as_row(self) -> dict[str, object]:
        """As it is stored."""
        return asdict(self)


@runtime_checkable
class SeenOverNetwork(Protocol):
    """What a running engine has besides if a network lies between it and us."""

    def read_network(self, when: str) -> NetworkReading:
        """Look at it once, while no request is under way."""


def read_network(outside: Outside, when: str) -> NetworkReading:
    """One reading. Never raises: what cannot be measured is a reading that says why."""
    found: dict[str, int] = {}
    error = ""
    try:
        _measure(outside, found)
    except (OSError, PolystackError) as failure:  # ssl's errors and time-outs are OSErrors
        error = hide(reason_of(failure), outside.secrets)
    return NetworkReading(when=when, error=error, **found)


def _measure(outside: Outside, found: dict[str, int]) -> None:
    parts = urlsplit(outside.url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    trusted = outside.trusted() if parts.scheme == "https" else None  # takes longer than a network
    began = now_ns()
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found["name_ns"] = now_ns() - began
    with _connected(addresses, found) as plain:
        began = now_ns()
        stream = trusted.wrap_socket(plain, server_hostname=host) if trusted else plain
        found["tls_ns"] = now_ns() - began if trusted else 0
        with stream:
            request = _request(outside)
            took, stands = _round_trip(stream, request)
            if stands:  # the first one on a new connection may wait for the end of its opening
                took, _ = _round_trip(stream, request)
            found["round_trip_ns"] = took


def _connected(
    addresses: Sequence[Address],
    found: dict[str, int],
) -> socket.socket:
    """A connection to the first address that takes one."""
    failure: OSError | None = None
    for family, kind, protocol, _, address in addresses:
        stream = socket.socket(family, kind, protocol)
        stream.settimeout(_TIMEOUT_S)
        try:
            began = now_ns()
            stream.connect(address)
            found["tcp_ns"] = now_ns() - began
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            stream.close()
            failure = error
        else:
            return stream
    raise failure or OSError("the name has no address")


def _request(outside: Outside) -> bytes:
    parts = urlsplit(outside.base)
    headers: Mapping[str, str] = {
        "Host": parts.netloc,
        "User-Agent": "polystack",
        "Accept": "*/*",
        **outside.headers,
    }
    lines = [f"HEAD {parts.path}/v1/models HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode()


def _round_trip(stream: socket.socket, request: bytes) -> tuple[int, bool]:
    """Nanoseconds to the first byte of the answer, and whether the connection may go on."""
    stream.sendall(request)
    began = now_ns()
    head = stream.recv(_HEAD_BYTES)
    took = now_ns() - began
    if not head.startswith(b"HTTP/"):
        raise OSError("no answer of HTTP" if head else "the connection was closed without answer")
    while _END not in head and len(head) < _HEAD_BYTES:
        more = stream.recv(_HEAD_BYTES)
        if not more:
            return took, False
        head += more
    is_whole = head.endswith(_END)  # some send a body that nobody has asked for
    return took, is_whole and b"connection: close" not in head.lower()
