"""Answers too large or too slow to be read, or packed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from tests.faults.wire.bad.spoil import LIMIT_S
from tests.faults.wire.case import Case
from tests.faults.wire.raw_server import Then, chunk, head
from tests.faults.wire.spoken import Spoken

_TRANSFER = "Transfer-Encoding: chunked"
_MIB = 1 << 20


def _large_event(spoken: Spoken) -> Iterator[bytes]:
    yield head(spoken.media_type)
    yield b'data: {"x":"' if spoken.is_sse else b'{"x":"'
    for _ in range(64):
        yield b"x" * _MIB
    yield b'"}\n\n'
    yield from spoken.whole()


def _endless_head(_: Spoken) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    number = 0
    while True:
        number += 1
        yield b"X-%d: %s\r\n" % (number, b"x" * 1000)


def _endless_header(_: Spoken) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX: "
    while True:
        yield b"x" * 1000


def _drip(spoken: Spoken) -> Iterator[bytes]:
    yield head(spoken.media_type, _TRANSFER)
    yield chunk(spoken.whole()[0])
    while True:
        yield chunk(b" ")


def _gzip(spoken: Spoken) -> list[bytes]:
    body = gzip.compress(b"".join(spoken.whole()))
    return [head(spoken.media_type, "Content-Encoding: gzip", f"Content-Length: {len(body)}"), body]


ENDLESS = (
    Case(
        name="gzip",
        what="gzip although it was not asked for",
        injected="the body packed, and a header that says so",
        pieces=_gzip,
        why=r"packed \(gzip\), which nobody asked for",
        seen="an error: its answer is packed (gzip), which nobody asked for",
    ),
    Case(
        name="64-mib-event",
        what="an event of 64 MiB",
        injected="one JSON text of that size",
        pieces=_large_event,
        pause_s=0.0,
        why="larger than 8 MiB",
        seen="an error: an event is larger than 8 MiB",
    ),
    Case(
        name="endless-headers",
        what="headers without end",
        injected="1 kB each, until the client closes",
        pieces=_endless_head,
        pause_s=0.0,
        why="not HTTP: (too many headers|its head has no end)",
        seen="an error: too many headers, or its head has no end",
    ),
    Case(
        name="endless-header",
        what="one header without end",
        injected="1 kB at a time, until the client closes",
        pieces=_endless_header,
        pause_s=0.0,
        why="its head has no end",
    ),
    Case(
        name="endless-drip",
        what="a slow drip without end",
        injected="one token, then a byte now and then",
        pieces=_drip,
        pause_s=0.05,
        timeout_s=LIMIT_S,
        why=r"no end of the answer after 0\.4 s",
    ),
    Case(
        name="silence",
        what="no answer at all",
        injected="the request is read, and nothing is written",
        pieces=lambda _: [],
        then=Then.HOLD,
        timeout_s=LIMIT_S,
        why=r"no end of the answer after 0\.4 s",
    ),
)
