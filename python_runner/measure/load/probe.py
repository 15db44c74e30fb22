"""One request before a load: whether it is answered at all, and about how fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from python_runner.common.clock import NS_PER_S
from python_runner.common.errors import GenerationError
from python_runner.engines.contract import Endpoint
from python_runner.engines.served.load_client import LoadShape, Sending
from python_runner.engines.served.refusals import refusal, without_query
from python_runner.measure.load.drive import Client
from python_runner.measure.load.finished import finished_of
from python_runner.measure.load.level import FinishedRequests

_POLL_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How fast one request alone was answered, in seconds."""

    ttft_s: float
    itl_s: float
    """Mean gap between chunks; 0 if there was one chunk only."""
    e2e_s: float
    prompt_tokens: int
    """As the server counts them; -1: it does not say."""
    output_tokens: int
    """The same."""


def probe(
    client: Client, endpoint: Endpoint, body: bytes, sending: Sending, *, secrets: Sequence[str]
) -> Probe:
    """Send one request and wait for its answer.

    Raises:
        GenerationError: no answer, or none that can be read; says what to look at.
        UsageError: the URL makes no sense.
    """
    run = client.start(endpoint, [body], LoadShape(users=1, requests=1), sending)
    try:
        while not run.wait(_POLL_S):
            pass
    finally:
        run.cancel()
    finished = finished_of(run.take(), secrets=secrets)
    if not finished.number.size:
        raise GenerationError(f"{without_query(endpoint.url)} gave no answer")
    if finished.error_kind[0]:
        raise failure_of(endpoint, finished, 0)
    stamps = finished.chunk_ns
    sent = int(finished.sent_ns[0])
    gaps = max(1, stamps.size - 1)
    return Probe(
        ttft_s=(int(stamps[0]) - sent) / NS_PER_S,
        itl_s=int(stamps[-1] - stamps[0]) / gaps / NS_PER_S,
        e2e_s=(int(finished.ended_ns[0]) - sent) / NS_PER_S,
        prompt_tokens=int(finished.prompt_tokens[0]),
        output_tokens=int(finished.output_tokens[0]),
    )


def failure_of(endpoint: Endpoint, finished: FinishedRequests, index: int) -> GenerationError:
    """What became of a request that failed, with what to do next."""
    kind, status = finished.error_kind[index], int(finished.status[index])
    return refusal(endpoint.url, kind, status, finished.error[index])
