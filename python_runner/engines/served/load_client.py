"""Many requests at once to a server, by our Rust crate `native/rust/stream-client`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from python_runner.common.build.extension import import_extension
from python_runner.common.errors import UsageError
from python_runner.engines.contract import Endpoint
from python_runner.engines.served.refusals import hint_of
from python_runner.engines.served.streaming import NotAnsweredError

if TYPE_CHECKING:
    import polystack_stream

_MODULE = "polystack_stream"
_CONNECT_TIMEOUT_S = 10.0
REQUEST_ID_HEADER = "x-request-id"


@dataclass(frozen=True, kw_only=True)
class LoadShape:
    """When requests are sent. Times are nanoseconds after the start, `<i8`, ascending."""

    users: int | None = None
    """Closed loop; None in an open one."""
    starts_ns: bytes | None = None
    """Closed loop: when each user starts; None: all at 0."""
    arrivals_ns: bytes | None = None
    """Open loop: when each request is due."""
    connections: int | None = None
    """Open loop: so many stand before the clock starts."""
    requests: int | None = None
    """Closed loop: ends after that many."""
    duration_s: float | None = None
    """Closed loop: none is sent after that."""


@dataclass(frozen=True, kw_only=True)
class Sending:
    """What all requests of a load share."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further headers; may hold a key, so they are written nowhere."""
    timeout_s: float = 600.0
    """For one answer."""
    ca_file: str | None = None
    """Further trusted certificates, PEM."""
    numbered: bool = False
    """Whether each request bears its number in a header. Some servers refuse one that is no
    UUID (llama-cpp-python's), so only a server of ours is sent it."""
    keep_text: bool = False
    """Keep the answers."""


class LoadClient:
    """Starts loads."""

    def __init__(self, folder: Path) -> None:
        """Load the client from the folder that `prepare_stream_client` gave."""
        import_extension(folder, _MODULE)
        import polystack_stream

        self._native = polystack_stream

    def start(
        self, endpoint: Endpoint, bodies: Sequence[bytes], shape: LoadShape, sending: Sending
    ) -> polystack_stream.LoadRun:
        """Open the connections and start the load; request k has body k modulo their number.

        Raises:
            NotAnsweredError: no connection came about.
            UsageError: more connections than this process may have, or no URL.
        """
        try:
            return self._native.LoadRun(
                endpoint.url,
                bodies,
                dialect=endpoint.dialect.value,
                users=shape.users,
                starts_ns=shape.starts_ns,
                arrivals_ns=shape.arrivals_ns,
                connections=shape.connections,
                requests=shape.requests,
                duration_s=shape.duration_s,
                timeout_s=sending.timeout_s,
                connect_timeout_s=_CONNECT_TIMEOUT_S,
                headers=dict(sending.headers),
                request_id_header=REQUEST_ID_HEADER if sending.numbered else None,
                ca_file=sending.ca_file,
                keep_text=sending.keep_text,
            )
        except self._native.LimitError as error:
            raise UsageError(
                str(error), hint="Allow more open files: ulimit -n NUMBER, then run it again."
            ) from error
        except ValueError as error:
            raise UsageError(str(error), hint="A URL begins with http:// or https://.") from error
        except self._native.StreamError as error:
            raise NotAnsweredError(str(error), hint=hint_of("connect", 0, str(error))) from error
