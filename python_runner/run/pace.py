"""How far a row of visits is, and so how long it will still take.

Stacks differ: counting visits would promise the time of the quick ones for the slow ones. So
what a visit to a stack took is remembered, and counts for the visits that are still to come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from python_runner.common.progress import Progress, Task

Clock = Callable[[], float]
_BEGUN = 1e-9
"""More than nothing: time left counts from the first step."""


class Pace:
    """Remembers what the latest visit to each stack took."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self._seconds: dict[str, float] = {}

    def note(self, stack: str, seconds: float) -> None:
        """A visit has ended."""
        self._seconds[stack] = seconds

    def expected_s(self, stack: str) -> float | None:
        """Of the next visit; of a stack that is not known, what the others took on average."""
        known = self._seconds
        if stack in known:
            return known[stack]
        return sum(known.values()) / len(known) if known else None


def left_s(pace: Pace, stops: Sequence[str], *, spent: float, by_part: float) -> float | None:
    """Seconds that visits will still take; None while no visit has ended.

    Args:
        pace: remembers those that have.
        stops: the stack of each, the first being under way.
        spent: seconds that this one took so far.
        by_part: what it will still take by its own requests; counts once it is overdue.
    """
    first, *others = stops
    present = pace.expected_s(first)
    if present is None:
        return None
    rest = [pace.expected_s(stack) or 0.0 for stack in others]
    # Overdue: then its own requests tell more than the visit before.
    return (present - spent if spent < present else by_part) + sum(rest)


class Course:
    """One row of visits that is under way, shown as one task."""

    def __init__(self, stops: Sequence[str], pace: Pace, task: Task) -> None:
        """Begin with the stacks that are to be visited, one entry for each visit."""
        self._stops = stops
        self._pace = pace
        self._task = task
        self._at = 0
        self._started_s = self._visit_s = pace.clock()
        task.update(_BEGUN)

    @contextmanager
    def visit(self) -> Iterator[None]:
        """The next stop is visited in this `with` statement."""
        self._visit_s = self._pace.clock()
        yield
        self._pace.note(self._stops[self._at], self._pace.clock() - self._visit_s)
        self._at += 1

    def skip(self) -> None:
        """The next stop is not visited."""
        self._at += 1

    def update(self, part: float | None, note: str) -> None:
        """`part` of the present visit is done; None leaves it as it was."""
        self._task.update(None if part is None else self.fraction(part), note)

    def fraction(self, part: float) -> float:
        """What is done of the time that all visits take."""
        now = self._pace.clock()
        spent = now - self._visit_s
        by_part = spent * (1 - part) / part if part > 0 else 0.0
        left = left_s(self._pace, self._stops[self._at :], spent=spent, by_part=by_part)
        if left is None:
            return max(_BEGUN, (self._at + part) / len(self._stops))
        elapsed = now - self._started_s
        whole = elapsed + left
        return max(_BEGUN, elapsed / whole) if whole > 0 else 1.0


class WithinCourse:
    """Implements `Progress` for one visit: its tasks become notes of the whole."""

    def __init__(self, course: Course, progress: Progress, where: str) -> None:
        self._course = course
        self._progress = progress
        self._where = where

    @contextmanager
    def task(self, title: str, *, why: str = "", expected_s: float | None = None) -> Iterator[Task]:
        yield _Part(self._course, self._where)

    def say(self, message: str) -> None:
        self._progress.say(message)


class _Part:
    def __init__(self, course: Course, where: str) -> None:
        self._course = course
        self._where = where

    def update(self, fraction: float | None = None, note: str = "") -> None:
        self._course.update(fraction, f"{self._where}: {note}" if note else "")
