"""How long work says how far it is.

Stages report through these Protocols; the command line draws them, tests and notebooks
may stay silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Task(Protocol):
    """One piece of long work that is under way."""

    def update(self, fraction: float | None = None, note: str = "") -> None:
        """Report how much is done (0 to 1, None if unknown) and what happens now."""


class Progress(Protocol):
    """Shows tasks and single lines to whoever waits."""

    def task(
        self, title: str, *, why: str = "", expected_s: float | None = None
    ) -> AbstractContextManager[Task]:
        """Open a task. `expected_s`: about how long it takes here, in seconds, if known."""

    def say(self, message: str) -> None:
        """Print one line that stays."""


class _SilentTask:
    """A task nobody watches."""

    def update(self, fraction: float | None = None, note: str = "") -> None:
        pass


class SilentProgress:
    """Progress that shows nothing."""

    @contextmanager
    def task(self, title: str, *, why: str = "", expected_s: float | None = None) -> Iterator[Task]:
        yield _SilentTask()

    def say(self, message: str) -> None:
        pass
