"""One end of the pair of pipes between the workbench and a worker process."""

from __future__ import annotations

import os
import select
from typing import Protocol

from python_runner.common.clock import NS_PER_S, now_ns
from python_runner.engines.worker import wire

_READ_BYTES = 1 << 16
_MS_PER_S = 1000


class Watch(Protocol):
    """Looks at the other end while its message is waited for."""

    @property
    def every_s(self) -> float:
        """Seconds from one look to the next."""

    def look(self) -> None:
        """Raises an error if it is not worth waiting longer."""


class Channel:
    """Messages out and in. Waiting is left to the kernel: it takes no CPU time.

    One thread at a time; owns both file descriptors.
    """

    def __init__(self, *, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing
        self._buffer = bytearray()
        self._closed = False

    @property
    def is_closed(self) -> bool:
        return self._closed

    def send(self, message: wire.Message, timeout_s: float) -> None:
        """Write one message.

        Raises BrokenPipeError if nobody can read it any more, TimeoutError if nobody does for
        `timeout_s` seconds: a long message does not fit into the pipe.
        """
        deadline_ns = now_ns() + int(timeout_s * NS_PER_S)
        poller = select.poll()
        poller.register(self._writing, select.POLLOUT)
        rest = memoryview(wire.encode(message))
        while rest:
            left_ms = (deadline_ns - now_ns()) * _MS_PER_S / NS_PER_S
            if not poller.poll(max(0, left_ms)):
                raise TimeoutError
            # As much as surely fits where there is room at all.
            rest = rest[os.write(self._writing, rest[: select.PIPE_BUF]) :]

    def receive(self, timeout_s: float, watch: Watch | None = None) -> wire.Message:
        """Wait for the next message.

        Raises TimeoutError after `timeout_s` seconds, EOFError if the other end is closed, and
        what `watch` raises.
        """
        deadline_ns = now_ns() + int(timeout_s * NS_PER_S)
        poller = select.poll()
        poller.register(self._reading, select.POLLIN)
        searched, is_late = 0, False
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            left_ms = (deadline_ns - now_ns()) * _MS_PER_S / NS_PER_S
            if is_late:
                raise TimeoutError
            # Whoever was suspended past the deadline still looks once: it may have come meanwhile.
            is_late = left_ms <= 0
            wait_ms = max(0.0, left_ms)
            if not poller.poll(min(wait_ms, watch.every_s * _MS_PER_S) if watch else wait_ms):
                if watch:
                    watch.look()
                continue
            data = os.read(self._reading, _READ_BYTES)
            if not data:
                raise EOFError
            self._buffer += data
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return wire.decode(line)

    def close(self) -> None:
        """Close both ends. Safe to call twice."""
        if not self._closed:
            self._closed = True
            os.close(self._reading)
            os.close(self._writing)
