"""What the columns of loads mean."""

from __future__ import annotations

from collections.abc import Iterator

from python_runner.analyse.columns.comparison import COMPARISON
from python_runner.analyse.columns.shared import (
    CONDITIONS,
    FIGURES,
    STACK,
    TERMS,
    Column,
    Columns,
)

_LEVEL: Columns = {
    "level": Column("step of the load, from 1", label="Level"),
    "arrivals": Column("closed loop, or open: constant or poisson"),
    "users": Column("at once (closed loop)", label="Users"),
    "rate": Column("arrivals (open loop)", "1/s", "Rate"),
}
_REQUEST: Columns = {
    **_LEVEL,
    "number": Column("of the request in its level", label="Request"),
    "user": Column("who asked"),
    "is_warmup": Column("one of the first of its level"),
    "is_in_window": Column("whether it lies in the steady part of its level"),
    "level_error": Column("why the level ended before its time, or nothing"),
    "level_client_error": Column("how far our own stamps are off at that load (dictionary)"),
    "ramp_s": Column("in which users come in", "s"),
    "warmup": Column("requests of a level that are warm-up"),
    "new_tokens": Column("that are asked for"),
    "failure_kind": Column("kind of failure, or nothing"),
    "naive_ttft_ms": Column("TTFT from sending, not from when it was due", "ms"),
    "lateness_ms": Column("sent later than due", "ms"),
    "connect_ms": Column("opening the connection; 0: it stood", "ms"),
    "tls_ms": Column("the part of it that TLS took", "ms"),
    "headers_ms": Column("sent to head of the answer", "ms"),
    "decode_ms": Column("first chunk to last, by our clock", "ms"),
    "engine_decode_ms": Column("the same by the engine's", "ms"),
    "n_chunks": Column("pieces of the answer"),
    "n_unknown_gaps": Column("pieces whose gap nobody saw"),
    "n_reasoning_chunks": Column("pieces that are reasoning"),
    "chunk_is_not_token": Column("whether pieces hold several tokens"),
    "status": Column("HTTP status"),
    "scheduled_ns": Column("when it was due, monotonic clock of the run", "ns"),
    "sent_ns": Column("when it was sent, monotonic clock of the run", "ns"),
    "headers_ns": Column("head of the answer, monotonic clock of the run", "ns"),
}
_CHUNK: Columns = {
    **_LEVEL,
    "number": _REQUEST["number"],
    "user": _REQUEST["user"],
    "chunk_index": Column("from 1", label="Chunk of the answer"),
    "read": Column("number of the read on its connection"),
    "t_ms": Column("since the request was due", "ms", "Time since the request"),
    "gap_ms": Column("since the read before; none for the first and for shared ones", "ms", "ITL"),
    "tokens": Column("in this chunk; 0: not known"),
    "is_reasoning": Column("whether it is reasoning"),
}
_OWN_ERROR = "_own_error"
_PERCENTILE: Columns = {
    "": Column("percentile of the steady part", "ms"),
    "_low": Column("lower end of its 95 % interval", "ms"),
    "_high": Column("upper end", "ms"),
    "_sure": Column("whether there are values enough for it"),
    _OWN_ERROR: Column("what our own clock adds", "ms"),
}
_NAMES = {
    "ttft": "TTFT",
    "itl": "ITL",
    "tpot": "TPOT",
    "e2e": "E2E latency",
    "naive_ttft": "TTFT from sending",
    "lateness": "Lateness",
}
_OF_THE_SCHEDULE = ("naive_ttft", "lateness")
"""Here the client has no error of its own to tell."""


def _percentiles() -> Iterator[tuple[str, Column]]:
    for figure, name in _NAMES.items():
        for percentile in (50, 90, 99):
            label = f"{name}, p{percentile}"
            for ending, note in _PERCENTILE.items():
                if ending == _OWN_ERROR and figure in _OF_THE_SCHEDULE:
                    continue
                unit = "_ms" if note.unit else ""
                column = Column(f"{label}: {note.meaning}", note.unit, label)
                yield f"{figure}_p{percentile}{ending}{unit}", column


_SUMMARY: Columns = {
    **TERMS,
    **_LEVEL,
    **dict(_percentiles()),
    "requests": Column("that the level asks for"),
    "duration_s": Column("that the level asks for", "s"),
    "ramp_s": _REQUEST["ramp_s"],
    "warmup": _REQUEST["warmup"],
    "new_tokens": _REQUEST["new_tokens"],
    "started_ns": Column("begin of the level, monotonic clock of the run", "ns"),
    "client_cpu_s": Column("CPU time of the client", "s"),
    "client_cpu_share": Column("the same over the level's duration"),
    "client_error": CONDITIONS["client_error"],
    "error": Column("why the level ended before its time, or nothing"),
    "wall_jump_ns": Column("how far the wall clock was set within it; no figure uses it", "ns"),
    "held_back": Column("CPU limit, heat, hypervisor: what held the engine (dictionary)"),
    "n": Column("complete requests of the steady part"),
    "n_inside": Column("requests of the steady part"),
    "n_requests": Column("all requests"),
    "n_warmup": Column("of all"),
    "n_failed": Column("of all"),
    "n_answers": Column("that brought content"),
    "n_at_once": Column("of those: most of the answer came in one read, so TTFT is none"),
    "decoding_at_once": Column("answers between first and last chunk, mean over the steady part"),
    "n_early_stops": Column("of all: ended by the model"),
    "n_cut_off": Column("of all: under way when the load was ended"),
    "n_suspended": Column("of all: something did not run meanwhile"),
    "inside_share": Column("n_inside / n_requests"),
    "lack": Column("why there is no steady part, or nothing"),
    "window_start_s": Column("begin of the steady part, since the level's", "s"),
    "window_end_s": Column("its end", "s"),
    "lateness_max_ms": Column("sent later than due, at most", "ms"),
    "itl_n": Column("gaps that are known"),
    "unknown_gap_share": Column("chunks whose gap nobody saw"),
    "chunk_is_not_token_share": Column("answers whose chunks hold several tokens"),
    "tokens_per_chunk": Column("on average"),
    "reasoning_share": Column("of chunks"),
    "tokens_per_s": Column("TGR: output tokens over all users", "tokens/s", "TGR"),
    "requests_per_s": Column("answered", "1/s", "Requests"),
    "n_uncounted": Column("answers whose tokens nobody counted"),
    "goodput_share": Column("requests within all targets"),
    "goodput_per_s": Column("the same in a second", "1/s", "Goodput"),
    "backlog_start": Column("requests waiting at the begin of the steady part"),
    "backlog_end": Column("at its end"),
    "backlog_grows": Column("whether the stack falls behind"),
    "decode_ms": Column("first chunk to last, by our clock, median", "ms"),
    "engine_decode_ms": Column("the same by the engine's", "ms"),
    "decode_difference_ms": Column("between the two", "ms"),
    "n_engine_times": Column("answers whose engine gives its own time"),
    "n_connects": Column("requests that had to open a connection"),
    "connect_p50_ms": Column("of those", "ms"),
    "tls_p50_ms": Column("of those", "ms"),
}

LOAD: dict[str, Columns] = {
    "requests": {**STACK, **CONDITIONS, **FIGURES, **_REQUEST},
    "chunks": {**STACK, **_CHUNK},
    "levels": {**STACK, **_SUMMARY},
    "fairness": COMPARISON["fairness"],
}
