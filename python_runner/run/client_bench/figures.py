"""What a client's stamps are worth, against the server's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from statistics import median
from typing import Any

import numpy as np

from python_runner.common.clock import NS_PER_MS, NS_PER_S

NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class ClientFigures:
    """Figures of one client at one number of streams."""

    ttft_p50_ms: float
    """Error of TTFT: the client's (first stamp - sent) less the server's (written - seen)."""
    ttft_p99_ms: float
    itl_p99_ms: float
    """Absolute error of single gaps; gaps within one read of the client are not known."""
    unknown_gaps: float
    """Share of the gaps that one read swallowed."""
    cpu_s_per_1000_events: float
    """CPU time of the client from the start of its clock to the last event."""
    rate_share: float
    """Time by the schedule over time taken, from the start to the last event: 1.0 is ideal."""


def figures_of(
    seen: Mapping[str, Any], truth: Mapping[str, Any], *, ideal_ns: int
) -> ClientFigures:
    """Compare what a client saw with what the server did.

    Args:
        seen: what a client has reported (see `clients`).
        truth: what the server gives out under `/truth`.
        ideal_ns: from the start to the last event, by the schedule.

    Raises:
        ValueError: the client missed or doubled an event.
    """
    served = {request["request_id"]: request for request in truth["requests"]}
    first_errors, gap_errors, unknown, events = [], [], 0, 0
    for request in seen["requests"]:
        theirs = served[request["id"]]
        ns, written = np.array(request["ns"]), np.array(theirs["written_ns"])
        if len(ns) != len(written):
            raise ValueError(f"{len(ns)} events seen of {len(written)}")
        events += len(ns)
        ours_ns = ns[0] - request["sent_ns"]
        first_errors.append(ours_ns - (written[0] - theirs["seen_ns"]))
        is_known = np.diff(request["reads"]) != 0
        unknown += int(np.count_nonzero(~is_known))
        gap_errors.append(np.abs(np.diff(ns) - np.diff(written))[is_known])
    gaps = np.concatenate(gap_errors) if gap_errors else np.empty(0)
    taken_ns = max(request["ns"][-1] for request in seen["requests"]) - seen["started_ns"]
    return ClientFigures(
        ttft_p50_ms=float(np.percentile(first_errors, 50)) / NS_PER_MS,
        ttft_p99_ms=float(np.percentile(first_errors, 99)) / NS_PER_MS,
        itl_p99_ms=float(np.percentile(gaps, 99)) / NS_PER_MS if gaps.size else NAN,
        unknown_gaps=unknown / max(1, events - len(first_errors)),
        cpu_s_per_1000_events=seen["cpu_ns"] / NS_PER_S / events * 1000,
        rate_share=ideal_ns / taken_ns,
    )


def middle_of(rounds: Sequence[ClientFigures]) -> ClientFigures:
    """The median of each figure over the rounds."""
    return ClientFigures(
        **{
            field.name: median(getattr(one, field.name) for one in rounds)
            for field in fields(ClientFigures)
        }
    )
