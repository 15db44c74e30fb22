"""The figures of each request of a load.

    TTFT          first chunk with content - request due
    E2E latency   last chunk with content - request due
    TPOT, ITL     see `arrivals`
    lateness      request sent - request due - opening a connection

Due is when the schedule wanted the request to be sent. In an open loop, users come whether
or not the ones before were served; a client that counts from the moment at which it got
round to sending leaves out the very wait that an overloaded server causes ("coordinated
omission", Gil Tene, How NOT to Measure Latency, 2013; HdrHistogram and wrk2 correct for it
in the same way). The count from sending is kept beside it as `naive_ttft_ms`. In a closed
loop a user has no schedule, and due is sent.

Reasoning is content: a model's first thought is its first token.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.latency import NAN
from python_runner.analyse.load.arrivals import Arrivals, arrivals
from python_runner.analyse.load.engine_time import engine_decode_ms
from python_runner.analyse.suspended import suspension_of
from python_runner.common.clock import NS_PER_MS
from python_runner.engines.contract import StopReason

CANCELLED = "cancelled"
WRONG_COUNT = "wrong-count"
NO_CONTENT = "empty"
BACKWARDS = "time-stamps"
LATENCIES = ("ttft_ms", "itl_ms", "tpot_ms", "e2e_ms")

_TIMES = (
    *("ttft_ms", "naive_ttft_ms", "tpot_ms", "e2e_ms", "answer_ms"),
    *("lateness_ms", "connect_ms", "tls_ms", "headers_ms"),
    *("decode_ms", "engine_decode_ms", "tokens"),
)
_COUNTS = ("n_chunks", "n_reasoning_chunks", "n_unknown_gaps")


class LoadOutcome(StrEnum):
    """What a request of a load may be used for."""

    COMPLETE = "complete"
    """The answer that was asked for: every figure holds."""
    EARLY_STOP = "early stop"
    """The model ended its answer before the tokens that were asked for: E2E latency compares
    with nothing, the other figures hold."""
    FAILED = "failed"
    """An error, or not the answer that was asked for: no figure holds."""
    SUSPENDED = "suspended"
    """Something did not run meanwhile (`analyse.suspended`): no fault of the server, and no
    figure."""
    CUT_OFF = "cut off"
    """Under way when the load was ended: no fault of the server, and no figure."""


def request_figures(requests: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """Add to each request its outcome and its figures.

    Args:
        requests: one row for each request, as `store` reads them.
        levels: one row for each level that they belong to.

    Returns:
        `requests` with these columns added; NaN where a figure does not hold:

        - outcome: a `LoadOutcome`'s value. failure_kind, failure: why it failed, else ""; of
          a suspended one `failure` says what did not run.
        - is_warmup: one of the first `warmup` requests of its level.
        - ttft_ms, e2e_ms, naive_ttft_ms, tpot_ms, lateness_ms: see above. answer_ms: as e2e_ms,
          and for early stops, too.
        - connect_ms: opening the connection, 0 where it stood already; tls_ms: the part of
          it that TLS took. In TTFT only if the request was due before. headers_ms: request
          sent to head of the answer.
        - itl_ms: array of the known gaps. n_unknown_gaps: chunks whose gap nobody saw.
        - decode_ms, engine_decode_ms: first chunk to last, by our clock and by the engine's.
        - came_at_once: most of its tokens in the first read (`reads`): TTFT is not of the first.
        - tokens: output tokens. chunk_is_not_token: chunks hold several, or not one each.
        - n_chunks; n_reasoning_chunks: those of them that are reasoning.
    """
    settings = levels.set_index("level_id")[["warmup", "new_tokens"]].to_dict(orient="index")
    rows = [_figures(row, settings[row["level_id"]]) for row in requests.to_dict(orient="records")]
    kinds = {
        **dict.fromkeys(("outcome", "failure_kind", "failure", "itl_ms"), "object"),
        **dict.fromkeys(("is_warmup", "chunk_is_not_token", "came_at_once"), "bool"),
        **dict.fromkeys(_TIMES, "float64"),
        **dict.fromkeys(_COUNTS, "int64"),
    }
    return requests.assign(
        **{
            name: pd.Series([row[name] for row in rows], index=requests.index, dtype=kind)
            for name, kind in kinds.items()
        }
    )


def judge(
    request: Mapping[Any, Any], arrived: Arrivals, new_tokens: float
) -> tuple[LoadOutcome, str, str]:
    """The outcome of a request, and the kind and reason of its failure if it failed.

    One that was suspended has a reason, and no kind.

    Args:
        request: a row as `store` reads it.
        arrived: what came of it.
        new_tokens: tokens that were asked for; NaN: any number will do.
    """
    if request["error_kind"] == CANCELLED:
        return LoadOutcome.CUT_OFF, "", ""
    if suspension := suspension_of(request):
        return LoadOutcome.SUSPENDED, "", suspension
    kind, reason = _fault(request, arrived)
    if kind:
        return LoadOutcome.FAILED, kind, reason
    if np.isnan(new_tokens) or np.isnan(arrived.total) or arrived.total == new_tokens:
        return LoadOutcome.COMPLETE, "", ""
    if arrived.total < new_tokens and request["stop"] == StopReason.END_OF_SEQUENCE:
        return LoadOutcome.EARLY_STOP, "", ""
    reason = f"{arrived.total:.0f} tokens, where {new_tokens:.0f} were asked for"
    return LoadOutcome.FAILED, WRONG_COUNT, reason


def _fault(request: Mapping[Any, Any], arrived: Arrivals) -> tuple[str, str]:
    """Kind and reason of what is wrong with a request whatever was asked; empty if nothing."""
    if request["error_kind"]:
        return str(request["error_kind"]), str(request["error"])
    if not arrived.stamps.size:
        return NO_CONTENT, "no chunk carried content"
    stamps = np.asarray(request["chunk_ns"], dtype=np.int64)
    if stamps[0] < request["sent_ns"] or np.any(np.diff(stamps) < 0):
        return BACKWARDS, "time stamps run backwards"
    return "", ""


def _figures(request: Mapping[Any, Any], settings: Mapping[Any, Any]) -> dict[str, object]:
    arrived = arrivals(request)
    outcome, kind, reason = judge(request, arrived, float(settings["new_tokens"]))
    figures: dict[str, object] = {
        **dict.fromkeys(_TIMES, NAN),
        **_connection(request),
        "outcome": outcome.value,
        "failure_kind": kind,
        "failure": reason,
        "is_warmup": int(request["number"]) < settings["warmup"],
        "itl_ms": np.empty(0),
        "n_chunks": arrived.chunks,
        "n_reasoning_chunks": int(np.count_nonzero(request["chunk_is_reasoning"])),
        "n_unknown_gaps": arrived.unknown_gaps,
        "came_at_once": arrived.is_at_once,
        "chunk_is_not_token": arrived.chunks > 0 and not arrived.is_token_by_chunk,
    }
    if outcome in (LoadOutcome.FAILED, LoadOutcome.CUT_OFF, LoadOutcome.SUSPENDED):
        return figures
    due, sent = int(request["scheduled_ns"]), int(request["sent_ns"])
    first, last = int(arrived.stamps[0]), int(arrived.stamps[-1])
    answer_ms = (last - due) / NS_PER_MS
    return figures | {
        "ttft_ms": (first - due) / NS_PER_MS,
        "naive_ttft_ms": (first - sent) / NS_PER_MS,
        "tpot_ms": arrived.tpot_ms,
        "e2e_ms": answer_ms if outcome is LoadOutcome.COMPLETE else NAN,
        "answer_ms": answer_ms,
        "itl_ms": arrived.gaps_ms,
        "tokens": arrived.total,
        "decode_ms": arrived.decode_ms,
        "engine_decode_ms": engine_decode_ms(request["engine_timings"], str(request["stop"])),
    }


def _connection(request: Mapping[Any, Any]) -> dict[str, object]:
    """What was measured before the answer; a request that was never sent has only its wait."""
    due, sent = int(request["scheduled_ns"]), int(request["sent_ns"])
    connect = int(request["connect_ns"])
    headers = int(request["headers_ns"])
    return {
        # A connection that was opened before the request was due took none of its time.
        "lateness_ms": max(0, sent - due - connect) / NS_PER_MS if sent else NAN,
        "connect_ms": connect / NS_PER_MS,
        "tls_ms": int(request["tls_ns"]) / NS_PER_MS,
        "headers_ms": (headers - sent) / NS_PER_MS if sent and headers else NAN,
    }
