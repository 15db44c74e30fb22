"""The figures of one request.

Tools share these names and not always their meaning (LLMPerf counts TTFT into the mean
gap between tokens; GenAI-Perf and vLLM's `bench serve` do not), so they are spelled out.
They are those of GenAI-Perf and vLLM, computed from raw stamps:

    TTFT          first chunk with content - request sent
    E2E latency   last chunk with content - request sent
    TPOT          (last chunk - first chunk) / (output tokens - tokens of the first chunk)
    ITL           gap between two successive arrivals

With the usual first chunk of one token, TPOT is the familiar
(end - first token) / (tokens - 1). Stamps are nanoseconds, figures milliseconds, rates
tokens per second.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from python_runner.analyse.suspended import suspension_of
from python_runner.common.clock import NS_PER_MS
from python_runner.engines.contract import StopReason

MS_PER_S = 1000.0
NAN = float("nan")
RATE_AND_TIME_COLUMNS = (
    "ttft_ms",
    "tpot_ms",
    "e2e_ms",
    "decode_tokens_per_s",
    "output_tokens_per_s",
)

Stamps = npt.NDArray[np.int64]


class Outcome(StrEnum):
    """What a request may be used for."""

    COMPLETE = "complete"
    """The answer that was asked for: every figure holds."""
    EARLY_STOP = "early stop"
    """The model ended its answer where it was not asked to: TTFT and TPOT hold, E2E latency
    compares with nothing. Or it was, and the answer is empty: no figure holds."""
    FAILED = "failed"
    """An error, or not the answer that was asked for: no figure holds."""
    SUSPENDED = "suspended"
    """Something did not run meanwhile (`analyse.suspended`), whatever came of it: no figure holds,
    and none of it is the engine's fault."""


NO_FIGURES = frozenset({Outcome.FAILED.value, Outcome.SUSPENDED.value})
"""Outcomes of which no figure holds."""


def request_metrics(samples: pd.DataFrame) -> pd.DataFrame:
    """Add to each request its outcome and its figures.

    Args:
        samples: one row for each request, as `store` reads them; without a column `may_end`
            every answer was to have exactly `requested_tokens`.

    Returns:
        `samples` with these columns added; NaN where a figure does not hold:

        - outcome: an `Outcome`'s value.
        - failure: why the outcome is `failed` or `suspended`, else "".
        - ttft_ms: request sent to first chunk that carries content.
        - tpot_ms: time per output token after the first chunk.
        - e2e_ms: request sent to last chunk; complete requests only.
        - decode_tokens_per_s: 1000 / tpot_ms.
        - output_tokens_per_s: output tokens / E2E latency; complete requests only.
        - itl_ms: array of the gaps between successive arrivals (see `arrival_gaps_ms`).
    """
    rows = [sample_figures(row) for row in samples.to_dict(orient="records")]
    added = {
        name: pd.Series([row[name] for row in rows], index=samples.index, dtype=dtype)
        for name, dtype in (
            ("outcome", "object"),
            ("failure", "object"),
            *((name, "float64") for name in RATE_AND_TIME_COLUMNS),
            ("itl_ms", "object"),
        )
    }
    return samples.assign(**added)


def judge(sample: Mapping[Any, Any]) -> tuple[Outcome, str]:
    """The outcome of a request, and why it failed, or was suspended, if it did.

    A wrong count is a failure and not a fast answer; fewer tokens are an early stop only
    where the engine says that the model ended its answer. Where it was asked to let the model
    (`may_end`), they are a complete answer.
    """
    if suspension := suspension_of(sample):
        return Outcome.SUSPENDED, suspension
    if fault := _fault(sample):
        return Outcome.FAILED, fault
    got, wanted = int(sample["output_tokens"]), int(sample["requested_tokens"])
    is_whole = got == wanted or (bool(sample.get("may_end")) and _stamps(sample).size)
    return (Outcome.COMPLETE if is_whole else Outcome.EARLY_STOP), ""


def _fault(sample: Mapping[Any, Any]) -> str:
    """What is wrong with a request; empty: nothing."""
    if sample["error"]:
        return str(sample["error"])
    got, wanted = int(sample["output_tokens"]), int(sample["requested_tokens"])
    if got < 0:
        return "nobody has counted its tokens"
    ended_itself = sample["stop"] == StopReason.END_OF_SEQUENCE
    if got > wanted or (got < wanted and not ended_itself):
        return f"{got} tokens, where {wanted} were asked for"
    stamps = _stamps(sample)
    if got == wanted and not stamps.size:
        return "no chunk carried content"
    if stamps.size and (stamps[0] < sample["requested_ns"] or np.any(np.diff(stamps) < 0)):
        return "time stamps run backwards"
    return ""


def arrival_gaps_ms(chunk_ns: Stamps) -> npt.NDArray[np.float64]:
    """ITL: gaps between successive arrivals in ms, shape (arrivals - 1,).

    Chunks with one and the same stamp came in one read of the connection. The zero
    between them says how the transport cut the stream, not how fast tokens were made, so
    they count as one arrival.
    """
    return np.diff(np.unique(chunk_ns)).astype(np.float64) / NS_PER_MS


def time_per_output_token_ms(chunk_ns: Stamps, chunk_tokens: Stamps, output_tokens: int) -> float:
    """TPOT in ms: (last chunk - first chunk) / tokens that came after the first chunk.

    A first chunk of unknown size counts as one token. NaN if nothing came after it.
    """
    if not chunk_ns.size:
        return NAN
    in_first = max(1, int(chunk_tokens[0])) if chunk_tokens.size else 1
    rest = output_tokens - in_first
    elapsed = int(chunk_ns[-1] - chunk_ns[0])
    return elapsed / NS_PER_MS / rest if rest > 0 and elapsed > 0 else NAN


def sample_figures(sample: Mapping[Any, Any]) -> dict[str, object]:
    """What `request_metrics` adds to one request."""
    outcome, failure = judge(sample)
    figures: dict[str, object] = {
        "outcome": outcome.value,
        "failure": failure,
        **dict.fromkeys(RATE_AND_TIME_COLUMNS, NAN),
        "itl_ms": np.empty(0),
    }
    stamps = _stamps(sample)
    if outcome.value in NO_FIGURES or not stamps.size:
        return figures
    requested = int(sample["requested_ns"])
    tokens = int(sample["output_tokens"])
    tpot = time_per_output_token_ms(stamps, np.asarray(sample["chunk_tokens"]), tokens)
    figures["ttft_ms"] = (int(stamps[0]) - requested) / NS_PER_MS
    figures["tpot_ms"] = tpot
    figures["decode_tokens_per_s"] = MS_PER_S / tpot
    figures["itl_ms"] = arrival_gaps_ms(stamps)
    if outcome is Outcome.COMPLETE:
        e2e = (int(stamps[-1]) - requested) / NS_PER_MS
        figures["e2e_ms"] = e2e
        figures["output_tokens_per_s"] = tokens * MS_PER_S / e2e if e2e > 0 else NAN
    return figures


def _stamps(sample: Mapping[Any, Any]) -> Stamps:
    return np.asarray(sample["chunk_ns"], dtype=np.int64)
