"""How far the stream client is off, as measured before a served measurement."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ClientError:
    """The client's own error, measured against a server whose truth is known.

    Milliseconds, client's figure minus truth. Taken at the same number of streams and rate
    as the measurement beside which it is printed.
    """

    streams: int
    events: int
    ttft_p50_ms: float
    ttft_p99_ms: float
    itl_p50_ms: float
    itl_p99_ms: float
    """Of the absolute error of single gaps."""
    rate_share: float
    """Events per second over what the schedule asks for: 1.0 is ideal."""
    cpu_s_per_1000_events: float
    server_late_p99_ms: float
    """How late the truthful server itself was against its own schedule."""
    warning: str = ""
    """Says that machine or client would be the bottleneck, and at what; else empty."""
