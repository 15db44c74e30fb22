"""The engine's own decode time, from the figures that it sends with its answers.

Both servers that send one leave the first token out of it (it ends the prefill), so it is
the time from the first token to the last: what our clock calls `decode_ms`. What our clock
finds more is the way from the engine to the socket, what it finds less is an error.
"""

from __future__ import annotations

from collections.abc import Mapping

from python_runner.analyse.latency import NAN
from python_runner.common.clock import NS_PER_MS
from python_runner.engines.contract import StopReason


def engine_decode_ms(timings: Mapping[str, float], stop: str) -> float:
    """`eval_duration` of Ollama or `predicted_ms` of llama.cpp's server, in ms.

    NaN if there is neither, and for an answer that the model ended: then the engine counts
    the token that ended it, for which no chunk was sent.
    """
    if stop == StopReason.END_OF_SEQUENCE:
        return NAN
    if "eval_duration_ns" in timings:
        return timings["eval_duration_ns"] / NS_PER_MS
    return float(timings.get("predicted_ms", NAN))
