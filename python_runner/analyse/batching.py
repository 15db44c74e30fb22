"""Whether a server computes several requests at once: what the load shows, and what is declared.

Measured first: the tokens a second of all users (TGR) at ten users over those at one. Whoever
computes one request after the other gives no more of them to ten users than to one, but for the
pauses between the requests of one user, which others fill.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from python_runner.analyse.claims.apart import RunFrames
from python_runner.analyse.claims.evidence import Compared
from python_runner.analyse.claims.loads import TGR, LoadEvidence
from python_runner.engines.served.at_once import SEVERAL_AT_ONCE, Batching

MANY = 10
"""Users that are enough to see it."""
PAUSES = 1.10
"""What the pauses of one user may bring when others fill them; more comes of computing at once."""
WORTH = 1.25
"""What stays below that is no gain that anybody batches for."""


class Seen(StrEnum):
    """What a load shows."""

    RISES = "batches"
    FLAT = "does not batch"
    UNSURE = "not known"


@dataclass(frozen=True, kw_only=True)
class BatchingSeen:
    """One stack of a load."""

    stack: str
    title: str
    seen: Seen
    few: int
    many: int
    """Users of the two levels; 0: there are none to compare."""
    ratio: float
    low: float
    high: float
    """TGR at `many` over TGR at `few`, with its 95 % interval; NaN where it is not known."""
    lack: str
    """Why nothing is known, where that is so."""
    declared: str
    """What its makers say; empty: not known, or it was given one slot."""
    contradiction: str
    """Empty: what was measured and what is declared agree, or one of them is not known."""

    def in_words(self) -> str:
        """One sentence or two, the measured first."""
        declared = f" Declared: {self.declared}." if self.declared else " Nothing is declared."
        if self.seen is Seen.UNSURE:
            return f"{self.title}: whether it batches is not known, {self.lack}.{declared}"
        measured = (
            f"{self.title} {self.seen.value}: at {self.many} users it gave {self.ratio:.2f} times "
            f"the tokens a second of {self.few} user ({self.low:.2f} to {self.high:.2f})."
        )
        against = (
            f" They contradict each other: {self.contradiction}." if self.contradiction else ""
        )
        return f"{measured}{declared}{against}"


def batching_of(frames: RunFrames) -> tuple[BatchingSeen, ...]:
    """One for each stack of a load of closed loops, in the order in which they ran.

    Empty for a run that has no level of one user, or none of more.
    """
    evidence = LoadEvidence.of(frames)
    conditions = frames.conditions.to_dict(orient="records")
    pairs = {}
    for each in conditions:
        users = evidence.users_of([int(each["condition_id"])])
        if found := levels_to_compare(users):
            pairs[int(each["condition_id"])] = found
    if not any(evidence.levels):
        return ()
    asked = {
        identity: (TGR, (identity, many), (identity, few))
        for identity, (few, many) in pairs.items()
    }
    compared = evidence.compare(asked.values())
    return tuple(
        verdict(each, pairs[identity], compared[asked[identity]])
        for each in conditions
        if (identity := int(each["condition_id"])) in pairs
    )


def levels_to_compare(users: tuple[int, ...]) -> tuple[int, int] | None:
    """One user, and ten or the next number above it; None where there are not both."""
    if 1 not in users or len(users) < 2:
        return None
    return 1, next((count for count in sorted(users) if count >= MANY), max(users))


def verdict(
    condition: Mapping[Any, Any], users: tuple[int, int], compared: Compared
) -> BatchingSeen:
    """What one stack shows.

    Args:
        condition: its row.
        users: of the two levels, the smaller number first.
        compared: TGR of the larger one over that of the smaller one.
    """
    build = condition["build"] if isinstance(condition["build"], Mapping) else {}
    declared = str(build.get(SEVERAL_AT_ONCE, ""))
    is_known = compared.is_known and math.isfinite(compared.effect)
    low, high = (math.exp(end) if is_known else math.nan for end in (compared.low, compared.high))
    seen = _seen(compared, low, high) if is_known else Seen.UNSURE
    return BatchingSeen(
        stack=str(condition["stack"]),
        title=str(condition["title"]),
        seen=seen,
        few=users[0],
        many=users[1],
        ratio=math.exp(compared.effect) if is_known else math.nan,
        low=low,
        high=high,
        lack=_lack(compared, low, high) if seen is Seen.UNSURE else "",
        declared=declared,
        contradiction=_contradiction(seen, declared),
    )


def _seen(compared: Compared, low: float, high: float) -> Seen:
    if compared.is_clear and low > PAUSES:
        return Seen.RISES
    return Seen.FLAT if high < WORTH else Seen.UNSURE


def _lack(compared: Compared, low: float, high: float) -> str:
    if math.isnan(low):
        return compared.lack or "there are too few answers"
    return f"the interval is too wide ({low:.2f} to {high:.2f} times)"


def _contradiction(seen: Seen, declared: str) -> str:
    if seen is Seen.RISES and declared == Batching.ONE_BY_ONE.value:
        return "more users get more tokens a second out of an engine that is said to take turns"
    if seen is Seen.FLAT and declared in (Batching.SLOTS.value, Batching.CONTINUOUS.value):
        return (
            "ten users get no more out of it than one; it may not batch here, or one request is "
            "enough to keep this machine busy"
        )
    return ""
