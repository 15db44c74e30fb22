"""`polystack mock`: a server that is no model, and whose truth is known."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from python_runner.cli import output
from python_runner.common.errors import UsageError

_NS_PER_MS = 1e6
_DELAY = "50ms, uniform:40ms,60ms, lognormal:50ms,0.3 (median, sigma) or exponential:50ms."


def mock(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: a free one.")] = 0,
    ttft: Annotated[str, typer.Option(help=f"Until the first event: {_DELAY}")] = "50ms",
    itl: Annotated[str, typer.Option(help="Between two events, in the same form.")] = "10ms",
    tokens: Annotated[
        int, typer.Option(min=1, help="Tokens of an answer whose request does not say.")
    ] = 100,
    tokens_per_chunk: Annotated[int, typer.Option(min=1, help="Tokens in one event.")] = 1,
    chunks_per_write: Annotated[int, typer.Option(min=1, help="Events in one write.")] = 1,
    slow_every: Annotated[int, typer.Option(min=0, help="Every n-th gap is longer…")] = 0,
    slow_extra: Annotated[str, typer.Option(help="…by so much.")] = "0ms",
    slots: Annotated[int, typer.Option(min=0, help="Answers at once; 0: no limit.")] = 0,
    stall_after: Annotated[str, typer.Option(help="So long after the first request…")] = "0ms",
    stall_for: Annotated[str, typer.Option(help="…nothing is written for so long.")] = "0ms",
    seed: Annotated[int, typer.Option(min=0, help="For what is drawn.")] = 0,
    fault: Annotated[str, typer.Option(help="What it does wrong, by name.")] = "",
    fault_every: Annotated[int, typer.Option(min=1, help="To every n-th request.")] = 1,
) -> None:
    """Serve tokens on a known schedule, for trying clients; no model runs."""
    from python_runner.cli.progress import TerminalProgress
    from python_runner.engines.served.truth import prepare_truth_server, truth_server

    server_class = truth_server(prepare_truth_server(TerminalProgress(output.console())))
    try:
        server = server_class(
            port=port,
            ttft=ttft,
            itl=itl,
            tokens=tokens,
            tokens_per_chunk=tokens_per_chunk,
            chunks_per_write=chunks_per_write,
            slow_every=slow_every,
            slow_extra=slow_extra,
            slots=slots,
            stall_after=stall_after,
            stall_for=stall_for,
            seed=seed,
            fault=fault,
            fault_every=fault_every,
        )
    except (ValueError, OSError) as error:
        raise UsageError(str(error), hint="See `polystack mock --help`.") from error
    output.say(f"{server.url} serves no model: TTFT {ttft}, ITL {itl}. Ctrl-C ends it.")
    output.say(
        f"curl -N {server.url}/v1/completions -d "
        '\'{"prompt": "Hello", "max_tokens": 20, "stream": true}\''
    )
    try:
        _wait_for_the_end()
    finally:
        median, p99, worst = (late / _NS_PER_MS for late in server.lateness_ns)
        served = len(server.truth().request_id)
        server.stop()
        output.say(
            f"{served} requests answered; events were late by {median:.3f} ms (p50), "
            f"{p99:.3f} ms (p99), {worst:.3f} ms (worst)"
        )


def _wait_for_the_end() -> None:
    """Until Ctrl-C or SIGTERM, either of which is the usual way to end it."""
    ended = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: ended.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        ended.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
