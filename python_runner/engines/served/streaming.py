"""Requests to engines that are served: one POST, every event of the answer stamped.

The client is our Rust crate `native/rust/stream-client`. Its reading thread never waits for
Python, so the workbench's own threads are not part of the stamps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from python_runner.common.build.cache import hash_tree
from python_runner.common.build.extension import build_extension, import_extension
from python_runner.common.errors import GenerationError, RequestTimeoutError
from python_runner.common.locations import source_root
from python_runner.common.progress import Progress
from python_runner.engines.served.error_body import reason_in
from python_runner.engines.served.message import ADVICE, printable

if TYPE_CHECKING:
    import polystack_stream

STALL_TIMEOUT_S = 120.0
_MODULE = "polystack_stream"
_EXPECTED_S = 60.0
_LONGEST = 300
"""Of a server's words."""


class Framing(StrEnum):
    """How a streamed answer says where an event ends."""

    NDJSON = "ndjson"
    """One JSON value a line."""
    SSE = "sse"
    """Server-sent events."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A streamed answer, raw. Times are nanoseconds of CLOCK_MONOTONIC."""

    requested_ns: int
    """Just before the request was written, on a connection that already stood."""
    events: tuple[bytes, ...]
    """The payload of each event, without its framing."""
    event_ns: tuple[int, ...]
    """For each event, the socket read that completed it."""
    read_index: tuple[int, ...]
    """For each event, the number of that read: events of one read have no gap of their own."""
    ended_ns: int
    """The end of the answer was seen."""


class NotAnsweredError(GenerationError):
    """No connection, or it broke within the answer: the server may be gone."""


class StreamClient:
    """Posts requests and stamps what comes back. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """Load the client from the folder that `prepare_stream_client` gave."""
        import_extension(folder, _MODULE)
        import polystack_stream

        self._native = polystack_stream

    def post(
        self,
        url: str,
        body: bytes,
        *,
        framing: Framing,
        timeout_s: float,
        stall_timeout_s: float = STALL_TIMEOUT_S,
    ) -> Stream:
        """Send `body` as JSON and wait for the end of the answer. Ctrl-C ends the wait.

        Raises:
            NotAnsweredError: no connection, or it broke before the end.
            RequestTimeoutError: no end after `timeout_s` seconds, or no event for
                `stall_timeout_s` once one has come.
            GenerationError: a status other than 2xx.
        """
        try:
            record = self._native.post_stream(
                url,
                body,
                framing=framing.value,
                timeout_s=timeout_s,
                stall_timeout_s=stall_timeout_s,
            )
        except self._native.RequestTimeoutError as error:
            raise RequestTimeoutError(
                str(error),
                hint="Ask for fewer tokens or allow more time (timeout, or stall_timeout in "
                "mid-stream, in the study).",
            ) from error
        except self._native.StreamError as error:
            raise NotAnsweredError(str(error), hint=ADVICE) from error
        return stream_of(record, url)


def prepare_stream_client(progress: Progress) -> Path:
    """The folder of the built client, built if it is not there yet. Raises SetupError."""
    workspace = source_root() / "native" / "rust"
    return build_extension(
        "polystack-stream",
        workspace / "stream-client",
        recipe_extra={"workspace": hash_tree(workspace, ("Cargo.toml", "Cargo.lock"))},
        env={},
        expected_s=_EXPECTED_S,
        why="it reads the answers of servers and stamps every token",
        progress=progress,
    )


def stream_of(record: polystack_stream.StreamRecord, url: str) -> Stream:
    """The record of an answer as ours. Raises GenerationError if its status is not 2xx.

    A redirect is not followed; it and a Retry-After are told.
    """
    text = record.error_body.decode(errors="replace")
    if not 200 <= record.status < 300:
        said = reason_in(text) or "no reason given"
        raise GenerationError(
            f"{url} answered {record.status}{_asides(record)}: {_clipped(said)}",
            hint=ADVICE,
        )
    if text and not record.events:
        raise GenerationError(
            f"{url} answered with what is no stream: {_clipped(text)}",
            hint="Is it the server that was started? Its own log may say more.",
        )
    return Stream(
        requested_ns=record.requested_ns,
        events=record.events,
        event_ns=record.event_ns,
        read_index=record.read_index,
        ended_ns=record.ended_ns,
    )


def _asides(record: polystack_stream.StreamRecord) -> str:
    location = f" (it sends us on to {record.location})" if record.location else ""
    wait = f" (Retry-After: {record.retry_after})" if record.retry_after else ""
    return f"{location}{wait}"


def _clipped(text: str) -> str:
    """Of a page no more than tells what it is."""
    said = printable(" ".join(text.split()))
    return f"{said[:_LONGEST]}…" if len(said) > _LONGEST else said


def read_together(read_indices: Iterable[int]) -> int:
    """How many events came in one read with the event before: their gap of 0 ns is no gap."""
    return sum(before == after for before, after in pairwise(read_indices))
