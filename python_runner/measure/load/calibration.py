"""The client's own error: a short load on a server that says afterwards what really happened.

It runs on this machine at the streams and about the rate of the measurement it is for, while
the engine idles. What an engine on the same cores adds under load is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from python_runner.common.clock import NS_PER_MS, NS_PER_S, Clocks
from python_runner.common.errors import EngineError, PolystackError, reason_of
from python_runner.common.progress import Progress
from python_runner.engines.contract import Dialect, Endpoint, GenerateRequest
from python_runner.engines.outside.dialects import PATHS, Options, body_of
from python_runner.engines.served.load_client import LoadShape, Sending
from python_runner.measure.load.drive import Client
from python_runner.measure.load.finished import finished_of
from python_runner.measure.load.level import ClientError, FinishedRequests
from python_runner.measure.time_watch import TimeWatch
from python_runner.measure.undisturbed import undisturbed

_SECONDS = 2.0
_LEAST_REQUESTS = 20
_MOST_PER_STREAM = 10
_MOST_EVENTS_PER_S = 20_000.0
"""More than any model gives on one machine; a server that is not asked for more cannot be the
bottleneck itself."""
_LEAST_ITL_S = 0.0005
_LIMIT_S = 30.0
_LEAST_SHARE = 0.98
_MOST_TTFT_MS = 10.0
_MOST_ITL_MS = 5.0
_MOST_LATE_MS = 5.0

Int64s = npt.NDArray[np.int64]


class Truth(Protocol):
    """`polystack_truth.Truth`."""

    @property
    def request_id(self) -> tuple[str, ...]: ...
    @property
    def seen_ns(self) -> bytes: ...
    @property
    def offsets(self) -> bytes: ...
    @property
    def due_ns(self) -> bytes: ...
    @property
    def written_ns(self) -> bytes: ...


class Server(Protocol):
    """`polystack_truth.TruthServer`."""

    @property
    def url(self) -> str: ...
    def truth(self) -> Truth: ...
    def stop(self) -> None: ...


StartServer = Callable[[str, str], Server]
"""Starts one with these times to the first event and between two (`50ms`)."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What is to be imitated."""

    dialect: Dialect
    streams: int
    ttft_s: float
    itl_s: float
    prompt_text: str


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What the server is asked for, so that it all takes about two seconds."""

    ttft_s: float
    itl_s: float
    tokens: int
    requests: int


class Calibrates(Protocol):
    """What measures the client's own error."""

    def measure(self, pace: Pace) -> ClientError:
        """Raises PolystackError if nothing could be measured."""


class Calibrator:
    """Implements `Calibrates`."""

    def __init__(self, client: Client, start_server: StartServer) -> None:
        """Use the client that is to be calibrated, and a server whose truth is known."""
        self._client = client
        self._start_server = start_server

    def measure(self, pace: Pace) -> ClientError:
        """Takes about two seconds. Raises EngineError if nothing could be measured."""
        plan = schedule_of(pace)
        server = self._start_server(_ms_text(plan.ttft_s), _ms_text(plan.itl_s))
        try:
            request = GenerateRequest(
                prompt_text=pace.prompt_text, prompt_ids=(), new_tokens=plan.tokens
            )
            run = self._client.start(
                Endpoint(url=server.url + PATHS[pace.dialect], dialect=pace.dialect, model="truth"),
                [body_of(pace.dialect, request, Options(model="truth"))],
                LoadShape(users=pace.streams, requests=plan.requests),
                Sending(timeout_s=_LIMIT_S, numbered=True),
            )
            if not run.wait(_LIMIT_S):
                run.cancel()
                run.wait(_LIMIT_S)
            finished = finished_of(run.take())
            truth = server.truth()
        finally:
            server.stop()
        return error_of(finished, truth, streams=pace.streams, cpu_s=run.cpu_ns / NS_PER_S)


def calibrate(
    calibrator: Calibrates | None, pace: Pace, progress: Progress, clocks: Clocks | None = None
) -> ClientError | None:
    """The client's error at this pace, its warning said aloud; None if it could not be had.

    A measurement without it is worth less, and not nothing: so a failure is said, not raised.
    One in which the machine slept or we stood still is made again; `clocks` tell a sleep.
    """
    if calibrator is None:
        return None
    what = "The client's own error"
    with TimeWatch(clocks=clocks) as watch:
        found, lost = undisturbed(
            partial(_measured, calibrator, pace), what=what, watch=watch, say=progress.say
        )
    if lost or isinstance(found, str):
        progress.say(f"{what} could not be measured: {lost or found}")
        return None
    if found.warning:
        progress.say(f"Beware: {found.warning}")
    return found


def _measured(calibrator: Calibrates, pace: Pace) -> ClientError | str:
    """Or why it could not be measured."""
    try:
        return calibrator.measure(pace)
    except PolystackError as error:
        return reason_of(error)


def schedule_of(pace: Pace) -> Schedule:
    """Some requests for each stream, of at least five tokens, at the pace's rate if it can be."""
    per_stream = math.ceil(_LEAST_REQUESTS / pace.streams)
    per_stream = min(max(per_stream, 2), _MOST_PER_STREAM)
    cycle_s = _SECONDS / per_stream
    ttft_s = min(max(pace.ttft_s, _LEAST_ITL_S), cycle_s / 3)
    least_itl_s = max(_LEAST_ITL_S, pace.streams / _MOST_EVENTS_PER_S)
    itl_s = max(min(pace.itl_s, cycle_s / 6), least_itl_s)
    return Schedule(
        ttft_s=ttft_s,
        itl_s=itl_s,
        tokens=max(5, 1 + round((cycle_s - ttft_s) / itl_s)),
        requests=per_stream * pace.streams,
    )


def error_of(
    finished: FinishedRequests, truth: Truth, *, streams: int, cpu_s: float
) -> ClientError:
    """Hold the client's stamps against the server's.

    Gaps between chunks of one read are not known to the client, and are left out.

    Raises EngineError if no request was answered whole.
    """
    pairs = _pairs(finished, truth)
    if not pairs:
        reason = next((text for text in finished.error if text), "no answer came")
        raise EngineError(f"no request to the server whose truth is known was answered: {reason}")
    ttft = np.array([pair.ttft_error_ns for pair in pairs]) / NS_PER_MS
    gaps = np.concatenate([pair.gap_errors_ns for pair in pairs]) / NS_PER_MS
    late = np.concatenate([pair.late_ns for pair in pairs]) / NS_PER_MS
    events = int(finished.chunk_ns.size)
    found = ClientError(
        streams=streams,
        events=events,
        ttft_p50_ms=_percentile(ttft, 50),
        ttft_p99_ms=_percentile(ttft, 99),
        itl_p50_ms=_percentile(gaps, 50),
        itl_p99_ms=_percentile(gaps, 99),
        rate_share=_rate_share(pairs),
        cpu_s_per_1000_events=cpu_s / events * 1000,
        server_late_p99_ms=_percentile(late, 99),
    )
    unanswered = finished.number.size - len(pairs)
    return replace(found, warning=warning_of(found, unanswered=unanswered))


def warning_of(error: ClientError, *, unanswered: int = 0) -> str:
    """What would hold a measurement back, in words; empty if nothing would."""
    signs = []
    if unanswered:
        signs.append(f"{unanswered} requests were not answered")
    if error.rate_share < _LEAST_SHARE:
        signs.append(f"{error.rate_share:.0%} of the rate was reached")
    if error.ttft_p99_ms > _MOST_TTFT_MS:
        signs.append(f"TTFT is off by {error.ttft_p99_ms:.3g} ms (p99)")
    if error.itl_p99_ms > _MOST_ITL_MS:
        signs.append(f"ITL is off by {error.itl_p99_ms:.3g} ms (p99)")
    streams = "1 stream" if error.streams == 1 else f"{error.streams} streams"
    if signs:
        return (
            f"this machine or the client would be the bottleneck at {streams}: "
            f"{', '.join(signs)}. Close other programs, use fewer streams, or run the client on "
            "another machine."
        )
    if error.server_late_p99_ms > _MOST_LATE_MS:
        return (
            "something else keeps this machine busy: at times it stood still for about "
            f"{error.server_late_p99_ms:.3g} ms. Close other programs; what follows has tails "
            "that are not the engine's."
        )
    return ""


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """One request as the client and as the server saw it."""

    user: int
    began_ns: int
    ended_ns: int
    planned_ns: int
    """From the request to its last event, as the schedule has it."""
    ttft_error_ns: int
    gap_errors_ns: Int64s
    late_ns: Int64s


def _pairs(finished: FinishedRequests, truth: Truth) -> list[_Pair]:
    offsets = np.frombuffer(truth.offsets, dtype="<i8")
    seen = np.frombuffer(truth.seen_ns, dtype="<i8")
    due = np.frombuffer(truth.due_ns, dtype="<i8")
    written = np.frombuffer(truth.written_ns, dtype="<i8")
    places = {int(name): place for place, name in enumerate(truth.request_id)}
    pairs = []
    for index, number in enumerate(finished.number):
        place = places.get(int(number))
        ours = slice(*finished.chunk_offsets[index : index + 2])
        if place is None or finished.error_kind[index]:
            continue
        theirs = slice(*offsets[place : place + 2])
        stamps, wrote = finished.chunk_ns[ours], written[theirs]
        if not stamps.size or stamps.size != wrote.size:
            continue
        has_gap = np.diff(finished.chunk_reads[ours]) > 0
        ttft = stamps[0] - finished.scheduled_ns[index]
        pairs.append(
            _Pair(
                user=int(finished.user[index]),
                began_ns=int(finished.scheduled_ns[index]),
                ended_ns=int(finished.ended_ns[index]),
                planned_ns=int(due[theirs][-1] - seen[place]),
                ttft_error_ns=int(ttft - (wrote[0] - seen[place])),
                gap_errors_ns=np.abs(np.diff(stamps) - np.diff(wrote))[has_gap],
                late_ns=wrote - due[theirs],
            )
        )
    return pairs


def _rate_share(pairs: list[_Pair]) -> float:
    """What the schedule asks of all users over what they took, pauses between requests included."""
    spans: dict[int, tuple[int, int]] = {}
    for pair in pairs:
        began, ended = spans.get(pair.user, (pair.began_ns, pair.ended_ns))
        spans[pair.user] = (min(began, pair.began_ns), max(ended, pair.ended_ns))
    took = sum(ended - began for began, ended in spans.values())
    return sum(pair.planned_ns for pair in pairs) / took if took else 0.0


def _percentile(values: npt.NDArray[np.float64], share: float) -> float:
    return float(np.percentile(values, share)) if values.size else 0.0


def _ms_text(seconds: float) -> str:
    return f"{seconds * 1000:.3f}ms"
