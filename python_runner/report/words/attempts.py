"""What needed more than one attempt, in words."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from python_runner.analyse.attempts import Again, again_by_stack

_SECOND = 2


def attempt_notes(samples: pd.DataFrame, conditions: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """A sentence for each stack that needed more than one attempt, and the first reason."""
    for row, again in again_by_stack(samples, conditions):
        parts = [each for each in (_requests(again), _starts(again), _suspended(again)) if each]
        yield f"{row['title']}: {'; '.join(parts)}", again.errors[0]


def _requests(again: Again) -> str:
    if not again.asked_again:
        return ""
    most = again.most_attempts
    needed = "a second attempt" if most == _SECOND else f"up to {most} attempts"
    return f"{again.asked_again} of {again.requests} requests needed {needed}"


def _starts(again: Again) -> str:
    if not again.starts:
        return ""
    return f"{again.starts} failed start{'' if again.starts == 1 else 's'} made again"


def _suspended(again: Again) -> str:
    if not again.suspended:
        return ""
    times = "once" if again.suspended == 1 else f"{again.suspended} times"
    return f"started anew {times}, after a request that ran out of time while nothing ran"
