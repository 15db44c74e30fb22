"""The levels of a load while it goes on.

Figures are made from the first and the last chunk of each request alone, so that following a
load of thousands of requests costs next to nothing. The report at the end goes by reads of the
connection, and by the steady part of a level (`analyse.load`), and is the one that counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from python_runner.analyse.latency import NAN
from python_runner.analyse.load.request import CANCELLED, NO_CONTENT, WRONG_COUNT
from python_runner.common.clock import NS_PER_MS, NS_PER_S
from python_runner.engines.contract import StopReason

MOST_HELD = 10_000
"""Requests of a level that its running medians stand on."""

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
_NO_FIGURES = dict.fromkeys(
    ("seconds", "tokens_per_s", "requests_per_s", "ttft_ms", "tpot_ms", "e2e_ms"), NAN
)


class Requests(Protocol):
    """`store.follow.NewRequests`, where the columns are described."""

    @property
    def number(self) -> Int64s: ...
    @property
    def scheduled_ns(self) -> Int64s: ...
    @property
    def ended_ns(self) -> Int64s: ...
    @property
    def first_ns(self) -> Int64s: ...
    @property
    def last_ns(self) -> Int64s: ...
    @property
    def first_tokens(self) -> Int64s: ...
    @property
    def output_tokens(self) -> Int64s: ...
    @property
    def stop(self) -> tuple[str, ...]: ...
    @property
    def error_kind(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, kw_only=True)
class Past:
    """What is left of requests whose points are not held any more."""

    n: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    tokens: float = 0.0
    due_ns: int | None = None
    """The first was due; None: there are none."""
    ended_ns: int = 0


@dataclass(frozen=True, kw_only=True)
class RequestPoints:
    """The figures of requests as far as their ends tell; NaN where a figure does not hold.

    Of a level the last `MOST_HELD` are held, so that following it for hours takes no more memory
    than for minutes; those before are counted. Requests that were cut off by the end of the load
    are left out.
    """

    failure_kind: npt.NDArray[np.str_]
    """Empty: none."""
    is_warmup: npt.NDArray[np.bool_]
    due_ns: Int64s
    ended_ns: Int64s
    tokens: Floats
    ttft_ms: Floats
    tpot_ms: Floats
    e2e_ms: Floats
    past: Past = field(default_factory=Past)
    """Of requests before these."""

    def __len__(self) -> int:
        return self.past.n + int(self.due_ns.size)

    @property
    def failures(self) -> Counter[str]:
        """How many failed, by kind."""
        return self.past.failures + Counter(self.failure_kind[self.failure_kind != ""].tolist())

    @property
    def n_tokens(self) -> float:
        return self.past.tokens + float(np.nansum(self.tokens))

    @property
    def span_ns(self) -> int:
        """From the first that was due to the last end; there has to be a request."""
        dues = [] if self.past.due_ns is None else [self.past.due_ns]
        ends = [self.past.ended_ns]
        if self.due_ns.size:
            dues.append(int(self.due_ns.min()))
            ends.append(int(self.ended_ns.max()))
        return max(ends) - min(dues)

    def followed_by(self, others: RequestPoints) -> RequestPoints:
        """Both in one. The others are new, and have no past."""
        both = {
            name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in _COLUMNS
        }
        surplus = both["due_ns"].size - MOST_HELD
        if surplus <= 0:
            return RequestPoints(**both, past=self.past)
        older = RequestPoints(
            **{name: column[:surplus] for name, column in both.items()}, past=self.past
        )
        return RequestPoints(
            **{name: column[surplus:].copy() for name, column in both.items()},
            past=older.as_past(),
        )

    def as_past(self) -> Past:
        """What is to be known of them when they are let go. There has to be a request."""
        known = self.past.due_ns
        first = int(self.due_ns.min())
        return Past(
            n=len(self),
            failures=self.failures,
            tokens=self.n_tokens,
            due_ns=first if known is None else min(known, first),
            ended_ns=max(self.past.ended_ns, int(self.ended_ns.max())),
        )


_COLUMNS = tuple(each.name for each in fields(RequestPoints) if each.name != "past")


def request_points(requests: Requests, level: Mapping[str, Any]) -> RequestPoints:
    """The figures of requests of one level, which tells `warmup` and `new_tokens` (or None)."""
    kinds = np.array(requests.error_kind, dtype=np.str_)
    is_kept = kinds != CANCELLED
    wanted = NAN if level["new_tokens"] is None else float(level["new_tokens"])
    tokens = np.where(requests.output_tokens < 0, NAN, requests.output_tokens)
    is_stopped = np.array([stop == StopReason.END_OF_SEQUENCE for stop in requests.stop])
    is_early = (tokens < wanted) & is_stopped
    is_wrong = (tokens > wanted) | ((tokens < wanted) & ~is_stopped)
    kinds = np.select(
        [kinds != "", requests.first_ns < 0, is_wrong], [kinds, NO_CONTENT, WRONG_COUNT], ""
    )
    holds = kinds == ""
    due, first, last = requests.scheduled_ns, requests.first_ns, requests.last_ns
    rest = tokens - np.maximum(1, requests.first_tokens)
    gap_ms = (last - first) / NS_PER_MS / np.where(rest > 0, rest, NAN)
    return RequestPoints(
        failure_kind=kinds[is_kept],
        is_warmup=(requests.number < level["warmup"])[is_kept],
        due_ns=due[is_kept],
        ended_ns=requests.ended_ns[is_kept],
        tokens=np.where(holds, tokens, NAN)[is_kept],
        ttft_ms=np.where(holds, (first - due) / NS_PER_MS, NAN)[is_kept],
        tpot_ms=np.where(holds, gap_ms, NAN)[is_kept],
        e2e_ms=np.where(holds & ~is_early, (last - due) / NS_PER_MS, NAN)[is_kept],
    )


def live_levels(
    levels: Sequence[Mapping[str, Any]], points: Mapping[int, RequestPoints]
) -> list[dict[str, Any]]:
    """One row for each level that was begun, in the order of time.

    Args:
        levels: as `store.follow.Followed` has them.
        points: the requests of each level so far, by its id.

    Returns:
        The fields of `levels`, and:

        - n: requests that are over. n_failed, failures: `status (3), timeout (1)`.
        - ttft_ms, tpot_ms, e2e_ms: medians of the last `MOST_HELD` requests, warm-up left out, NaN
          where there is none.
        - tokens_per_s: output tokens over the time from the first request to the last end;
          requests_per_s the same of requests that did not fail. seconds: that time.
    """
    return [{**level, **_so_far(points.get(level["level_id"]))} for level in levels]


def _so_far(points: RequestPoints | None) -> dict[str, Any]:
    if points is None or not len(points):
        return {"n": 0, "n_failed": 0, "failures": "", **_NO_FIGURES}
    failures, counted = points.failures, ~points.is_warmup
    n_failed, seconds = failures.total(), points.span_ns / NS_PER_S
    return {
        "n": len(points),
        "n_failed": n_failed,
        "failures": ", ".join(f"{kind} ({n})" for kind, n in failures.most_common()),
        "seconds": seconds,
        "tokens_per_s": points.n_tokens / seconds if seconds > 0 else NAN,
        "requests_per_s": (len(points) - n_failed) / seconds if seconds > 0 else NAN,
        "ttft_ms": _median(points.ttft_ms[counted]),
        "tpot_ms": _median(points.tpot_ms[counted]),
        "e2e_ms": _median(points.e2e_ms[counted]),
    }


def _median(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if known.size else NAN
