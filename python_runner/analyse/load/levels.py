"""One row for each level of each stack: what its requests say, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from python_runner.analyse.latency import NAN
from python_runner.analyse.load.decoding import decoding_at_once
from python_runner.analyse.load.goodput import goodput
from python_runner.analyse.load.percentiles import PERCENTILES, percentile_of
from python_runner.analyse.load.request import LATENCIES, LoadOutcome
from python_runner.analyse.load.throughput import stood_still, throughput
from python_runner.analyse.load.window import Window, backlog, steady_window
from python_runner.analyse.own_error import own_error_ms
from python_runner.common.clock import NS_PER_S

_PER_REQUEST = ("ttft", "tpot", "e2e", "naive_ttft", "lateness")
NO_END = "it has no end: what measured it was ended from outside, or still measures"
_STACK = ("run_id", "condition_id", "stack", "title", "language", "reach")
_LEVEL = (
    *("level_id", "number", "arrivals", "users", "rate", "requests", "duration_s", "ramp_s"),
    *("warmup", "new_tokens", "started_ns", "client_cpu_s", "client_error", "error"),
    *("wall_jump_ns", "held_back"),
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One level and its requests."""

    requests: pd.DataFrame
    window: Window

    @property
    def inside(self) -> pd.DataFrame:
        return self.requests[self.window.holds(self.requests)]


def summarise_levels(
    figures: pd.DataFrame, levels: pd.DataFrame, targets_ms: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Summarise the levels of a load, in the order in which they were measured.

    Args:
        figures: requests with their figures (`request_figures`).
        levels: one row for each level; one without requests keeps its row.
        targets_ms: for goodput, see there.

    Returns:
        One row for each level. Besides the level's own columns:

        - error: why it was broken off, else "".
        - n: requests that figures stand on: complete and in the window. n_inside: all in the
          window. n_requests: all. n_warmup, n_failed, n_early_stops, n_cut_off, n_suspended: of
          all.
        - inside_share: n_inside / n_requests. lack: why there is no steady window, else "".
          window_start_s, window_end_s: since the level's start.
        - {ttft,itl,tpot,e2e}_{p50,p90,p99}_ms with _low_ms, _high_ms (95 % interval), _sure
          (whether there are enough values for one) and _own_error_ms (the client's own).
        - {naive_ttft,lateness}_{p50,p90,p99}_ms and their intervals; lateness_max_ms.
        - itl_n: gaps that are known. unknown_gap_share: chunks whose gap nobody saw.
        - chunk_is_not_token_share, reasoning_share: of answers, and of chunks. tokens_per_chunk.
        - n_answers: that brought content; n_at_once: of them, those that came at once (`reads`).
        - tokens_per_s (TGR), requests_per_s, n_uncounted: see `throughput`.
        - decoding_at_once: see there.
        - goodput_share, goodput_per_s.
        - backlog_start, backlog_end, backlog_grows: see `window.backlog`.
        - decode_ms, engine_decode_ms, decode_difference_ms: medians over answers whose engine
          gives its own time; n_engine_times: how many those are.
        - n_connects, connect_p50_ms, tls_p50_ms: requests that had to open a connection.
        - client_cpu_share: CPU time of the client over the level's duration.
    """
    rows = [_row(level, figures, targets_ms or {}) for level in levels.to_dict(orient="records")]
    if rows:
        return pd.DataFrame(rows)
    example = dict.fromkeys((*_STACK, *_LEVEL), NAN) | {"arrivals": "closed", "users": 1}
    empty = figures.iloc[:0]
    return pd.DataFrame(columns=list(_row({**example, "ended_ns": NAN}, empty, {})))


def _row(
    level: Mapping[Any, Any], figures: pd.DataFrame, targets_ms: Mapping[str, float]
) -> dict[str, object]:
    mine = figures[figures["level_id"] == level["level_id"]]
    part = _Part(requests=mine, window=steady_window(mine, level))
    return {
        **{name: level[name] for name in (*_STACK, *_LEVEL)},
        "error": level["error"] or ("" if pd.notna(level["ended_ns"]) else NO_END),
        **_counts(part, level),
        **_latencies(part.inside, level["client_error"]),
        **_chunks(part.inside),
        **_rates(part, targets_ms),
        **_waiting(part, level),
        **_engine(part.inside),
        **_client(part.inside, level),
    }


def _counts(part: _Part, level: Mapping[Any, Any]) -> dict[str, object]:
    outcomes = part.requests["outcome"].value_counts()
    inside, window = part.inside, part.window
    began = level["started_ns"]
    began = part.requests["sent_ns"].min() if pd.isna(began) else began
    has_window = window.end_ns > 0
    return {
        "n": int((inside["outcome"] == LoadOutcome.COMPLETE.value).sum()),
        "n_inside": len(inside),
        "n_requests": len(part.requests),
        "n_warmup": int(part.requests["is_warmup"].sum()),
        "n_failed": int(outcomes.get(LoadOutcome.FAILED.value, 0)),
        "n_early_stops": int(outcomes.get(LoadOutcome.EARLY_STOP.value, 0)),
        "n_cut_off": int(outcomes.get(LoadOutcome.CUT_OFF.value, 0)),
        "n_suspended": int(outcomes.get(LoadOutcome.SUSPENDED.value, 0)),
        "inside_share": len(inside) / len(part.requests) if len(part.requests) else NAN,
        "lack": window.lack,
        "window_start_s": (window.start_ns - began) / NS_PER_S if has_window else NAN,
        "window_end_s": (window.end_ns - began) / NS_PER_S if has_window else NAN,
    }


def _latencies(inside: pd.DataFrame, error: object) -> dict[str, object]:
    gaps = float(inside["tokens"].median()) - 1 if len(inside) else NAN
    found: dict[str, object] = {}
    for name in _PER_REQUEST:
        values = inside[f"{name}_ms"].dropna().to_numpy(dtype=np.float64)
        found |= _percentiles(name, np.sort(values))
    pooled, owners = _pool(inside["itl_ms"])
    order = np.argsort(pooled, kind="stable")
    found |= _percentiles("itl", pooled[order], owners[order])
    for figure in (column.removesuffix("_ms") for column in LATENCIES):
        for percentile in PERCENTILES:
            found[f"{figure}_p{percentile}_own_error_ms"] = own_error_ms(
                error, figure, percentile, gaps=gaps
            )
    return {
        **found,
        "itl_n": pooled.size,
        "lateness_max_ms": float(inside["lateness_ms"].max()) if len(inside) else NAN,
    }


def _percentiles(
    name: str, values: Floats, owners: npt.NDArray[np.int64] | None = None
) -> dict[str, object]:
    found: dict[str, object] = {}
    for percentile in PERCENTILES:
        one = percentile_of(values, percentile, owners)
        found |= {
            f"{name}_p{percentile}_ms": one.value,
            f"{name}_p{percentile}_low_ms": one.low,
            f"{name}_p{percentile}_high_ms": one.high,
            f"{name}_p{percentile}_sure": one.is_sure,
        }
    return found


def _pool(gaps: pd.Series[Any]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """All gaps in one array, and for each the request that it belongs to, from 0."""
    arrays = [array for array in gaps if array.size]
    if not arrays:
        return np.empty(0), np.empty(0, dtype=np.int64)
    sizes = [array.size for array in arrays]
    return np.concatenate(arrays), np.repeat(np.arange(len(arrays)), sizes)


def _chunks(inside: pd.DataFrame) -> dict[str, object]:
    answers = inside[inside["ttft_ms"].notna()]
    n_chunks = int(answers["n_chunks"].sum())
    counted = answers[answers["tokens"].notna()]
    n_counted = int(counted["n_chunks"].sum())
    return {
        "unknown_gap_share": answers["n_unknown_gaps"].sum() / n_chunks if n_chunks else NAN,
        "chunk_is_not_token_share": float(answers["chunk_is_not_token"].mean())
        if len(answers)
        else NAN,
        "n_answers": len(answers),
        "n_at_once": int(answers["came_at_once"].astype(bool).sum()),
        "tokens_per_chunk": counted["tokens"].sum() / n_counted if n_counted else NAN,
        "reasoning_share": answers["n_reasoning_chunks"].sum() / n_chunks if n_chunks else NAN,
    }


def _rates(part: _Part, targets_ms: Mapping[str, float]) -> dict[str, object]:
    rates = throughput(part.requests, part.window)
    seconds = NAN if stood_still(part.requests, part.window) else part.window.seconds
    good = goodput(part.inside, targets_ms, seconds)
    return {
        "tokens_per_s": rates.tokens_per_s,
        "requests_per_s": rates.requests_per_s,
        "n_uncounted": rates.n_uncounted,
        "decoding_at_once": decoding_at_once(part.requests, part.window),
        "goodput_share": good.share,
        "goodput_per_s": good.per_s,
    }


def _waiting(part: _Part, level: Mapping[Any, Any]) -> dict[str, object]:
    found = backlog(part.requests, part.window)
    # What piled up while nothing ran is not the server's backlog.
    may_grow = level["arrivals"] != "closed" and not stood_still(part.requests, part.window)
    return {
        "backlog_start": found.at_start,
        "backlog_end": found.at_end,
        # N users never have more than N requests open: a closed loop cannot fall behind.
        "backlog_grows": may_grow and not part.window.lack and found.grows,
    }


def _engine(inside: pd.DataFrame) -> dict[str, object]:
    timed = inside[inside["engine_decode_ms"].notna() & inside["decode_ms"].notna()]
    difference = timed["decode_ms"] - timed["engine_decode_ms"]
    return {
        "decode_ms": float(timed["decode_ms"].median()),
        "engine_decode_ms": float(timed["engine_decode_ms"].median()),
        "decode_difference_ms": float(difference.median()),
        "n_engine_times": len(timed),
    }


def _client(inside: pd.DataFrame, level: Mapping[Any, Any]) -> dict[str, object]:
    opened = inside[inside["connect_ms"] > 0]
    seconds = (level["ended_ns"] - level["started_ns"]) / NS_PER_S
    return {
        "n_connects": len(opened),
        "connect_p50_ms": float(opened["connect_ms"].median()),
        "tls_p50_ms": float(opened["tls_ms"].median()),
        "client_cpu_share": level["client_cpu_s"] / seconds if seconds > 0 else NAN,
    }
