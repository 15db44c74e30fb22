"""The part of a level in which its load was steady.

A load begins with idle servers and ends with idle users; figures from those parts are those
of a smaller load. The rule looks at who was at work, and never at the latencies themselves,
so that it cannot pick the figures it likes:

    closed loop   from the moment when every user has had its first answer (and all warm-up
                  requests have theirs) until the first user has nothing more to send
    open loop     from the latest of: the first answer, the end of the ramp, the first request
                  that is no warm-up; until the last request was due

An answer is what brought content: a server that refuses its first request at once has not
begun to serve. A user that never has an answer does not hold the others up.

A request belongs to the window if it was due within it. Not: if it ended within it, which
would leave out the slow ones. Those that end after it are few (one a user at most, in a
closed loop) and meet a slightly smaller load.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from python_runner.common.clock import NS_PER_S

CLOSED = "closed"
_GROWTH_SHARE = 0.1
_GROWTH_SIGMAS = 3.0


@dataclass(frozen=True, kw_only=True)
class Window:
    """The steady part of a level, or all of it where there is none."""

    start_ns: int
    end_ns: int
    lack: str = ""
    """Why there is no steady state; then the window is the whole level after its warm-up."""

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.start_ns) / NS_PER_S

    def holds(self, requests: pd.DataFrame) -> pd.Series[bool]:
        """Which requests belong to it: due within it, and no warm-up."""
        due = requests["scheduled_ns"]
        is_within = (due >= self.start_ns) & (due <= self.end_ns)
        return is_within & ~requests["is_warmup"]


def steady_window(requests: pd.DataFrame, level: Mapping[Any, Any]) -> Window:
    """The window of one level.

    Args:
        requests: the requests of this level, with `is_warmup` and `n_chunks` (`request_figures`).
        level: its row.
    """
    if requests.empty:
        return Window(start_ns=0, end_ns=0, lack="no request has ended")
    find = _closed if level["arrivals"] == CLOSED else _open
    found = find(requests, level)
    if not found.lack and found.start_ns >= found.end_ns:
        found = Window(start_ns=0, end_ns=0, lack=_TOO_SHORT[level["arrivals"] == CLOSED])
    if not found.lack:
        return found
    counted = requests[~requests["is_warmup"]]
    used = counted if len(counted) else requests
    return Window(
        start_ns=int(used["scheduled_ns"].min()),
        end_ns=int(used["ended_ns"].max()),
        lack=found.lack,
    )


_TOO_SHORT = {
    True: "the first user was done before the last one had its first answer",
    False: "the last request was due before the first answer, ramp and warm-up were over",
}


_NO_ANSWER = Window(start_ns=0, end_ns=0, lack="no request was answered")


def _closed(requests: pd.DataFrame, level: Mapping[Any, Any]) -> Window:
    last_ends = requests.groupby("user")["ended_ns"].max()
    wanted = int(level["users"])
    if len(last_ends) < wanted:
        lack = f"only {len(last_ends)} of {wanted} users have sent a request that is over"
        return Window(start_ns=0, end_ns=0, lack=lack)
    answered = _answered(requests)
    if answered.empty:
        return _NO_ANSWER
    first_ends = answered.sort_values("number").groupby("user")["ended_ns"].first()
    warm = requests.loc[requests["is_warmup"], "ended_ns"]
    start = max(int(first_ends.max()), int(warm.max()) if len(warm) else 0)
    return Window(start_ns=start, end_ns=int(last_ends.min()))


def _open(requests: pd.DataFrame, level: Mapping[Any, Any]) -> Window:
    counted = requests[~requests["is_warmup"]]
    if counted.empty:
        return Window(start_ns=0, end_ns=0, lack="all requests are warm-up")
    answered = _answered(requests)
    if answered.empty:
        return _NO_ANSWER
    due = counted["scheduled_ns"]
    began = level["started_ns"]
    began = int(requests["scheduled_ns"].min()) if pd.isna(began) else int(began)
    ramp_end = began + round(level["ramp_s"] * NS_PER_S)
    start = max(int(answered["ended_ns"].min()), ramp_end, int(due.min()))
    return Window(start_ns=start, end_ns=int(due.max()))


def _answered(requests: pd.DataFrame) -> pd.DataFrame:
    return requests[requests["n_chunks"] > 0]


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """Requests that were due and not over, at the window's two ends."""

    at_start: int
    at_end: int
    due: int
    """Requests that came due within it."""

    @property
    def grows(self) -> bool:
        """Whether the server falls behind: then latency is a matter of how long one waits.

        Over the window the backlog grew by more than a tenth of what came due, and by more
        than chance would do (three times the square root of what there was).
        """
        grown = self.at_end - self.at_start
        by_chance = _GROWTH_SIGMAS * math.sqrt(self.at_start + 1)
        return grown > max(_GROWTH_SHARE * self.due, by_chance)


def backlog(requests: pd.DataFrame, window: Window) -> Backlog:
    """How many requests were open when the window began and when it ended."""

    def waiting(moment: int) -> int:
        return int(((requests["scheduled_ns"] <= moment) & (requests["ended_ns"] > moment)).sum())

    return Backlog(
        at_start=waiting(window.start_ns),
        at_end=waiting(window.end_ns),
        due=int(window.holds(requests).sum()),
    )
