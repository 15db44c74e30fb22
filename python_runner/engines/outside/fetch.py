"""A GET from somebody else's server that ends: in time, and with no more bytes than are wanted.

httpx limits each of its reads and not their sum, and unpacks what comes packed, however much it
becomes. A server that sends a byte now and then would be waited for, and a small answer could
fill the memory.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

MOST_BYTES = 4 << 20
"""Of an answer: a list of some thousand models."""
_PLAIN = {"", "identity"}
_ENCODED = "content-encoding"


def fetch(client: httpx.Client, url: str, *, limit_s: float) -> httpx.Response:
    """The whole answer; a redirect is not followed.

    Raises:
        httpx.HTTPError: no answer, none within `limit_s` seconds, one of more than `MOST_BYTES`,
            or one that is packed though that was not asked for.
        httpx.InvalidURL: `url` is none.
    """
    said = {"Accept-Encoding": "identity"}
    with (
        _cut_after(limit_s) as watch,
        client.stream("GET", url, headers=said, extensions={"trace": watch.saw}) as answer,
    ):
        headers = _kept(answer)
        return httpx.Response(answer.status_code, headers=headers, content=_body(answer, watch))


def _kept(answer: httpx.Response) -> list[tuple[str, str]]:
    encoding = answer.headers.get(_ENCODED, "").strip().lower()
    if encoding not in _PLAIN:
        raise httpx.DecodingError(f"its answer is packed ({encoding[:20]}), which nobody asked for")
    framing = {_ENCODED, "content-length", "transfer-encoding"}
    return [(name, value) for name, value in answer.headers.multi_items() if name not in framing]


def _body(answer: httpx.Response, watch: _Watch) -> bytes:
    body = bytearray()
    for part in answer.iter_bytes():  # nothing is unpacked: it is not packed
        body += part
        if len(body) > MOST_BYTES:
            raise httpx.DecodingError(f"its answer is larger than {MOST_BYTES >> 20} MiB")
    if watch.is_over.is_set():  # the end is ours, where the connection's end ends the body
        raise httpx.ReadTimeout("cut off")
    return bytes(body)


class _Watch:
    """Knows the connections of a request, and ends them when the time is up."""

    def __init__(self) -> None:
        self.is_over = threading.Event()
        self._sockets: list[socket.socket] = []

    def saw(self, event: str, info: Mapping[str, Any]) -> None:
        """As httpx's extension `trace` calls it."""
        stream = info.get("return_value")
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")) and stream is not None:
            found = stream.get_extra_info("socket")
            if isinstance(found, socket.socket):
                self._sockets.append(found)

    def end(self) -> None:
        self.is_over.set()
        for each in self._sockets:
            with contextlib.suppress(OSError):  # it is closed already
                each.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _cut_after(limit_s: float) -> Iterator[_Watch]:
    watch = _Watch()
    timer = threading.Timer(limit_s, watch.end)
    timer.daemon = True
    timer.start()
    try:
        yield watch
    except httpx.HTTPError as error:
        if not watch.is_over.is_set():
            raise
        raise httpx.ReadTimeout(f"no end of its answer after {limit_s:g} s") from error
    finally:
        timer.cancel()
