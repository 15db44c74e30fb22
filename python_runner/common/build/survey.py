"""Ask an engine what it would build, without building it.

A `Survey` is passed to `prepare` in place of a progress display. The same code that builds
then tells which builds it uses and which of them are missing, so the answer cannot differ
from what would be done.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from python_runner.common.errors import SetupError
from python_runner.common.progress import Progress, Task


@dataclass(frozen=True, kw_only=True)
class Work:
    """One piece of work that is still to be done."""

    title: str
    expected_s: float | None
    """About how long it takes on two cores, in seconds, if known."""


@dataclass(frozen=True, kw_only=True)
class Surveyed:
    """What is known of an engine's needs."""

    used: tuple[Path, ...]
    """The folders of its builds, made or not."""
    missing: tuple[Work, ...]
    """What would be done to get it ready, as far as that is known before it is begun."""
    problem: SetupError | None
    """Why it cannot be made ready, if so."""

    @property
    def expected_s(self) -> float:
        """About how long the missing work takes on two cores, in seconds."""
        return sum(work.expected_s or 0.0 for work in self.missing)


class _ToBeDoneError(Exception):
    """Work was about to begin; ends it."""

    def __init__(self, work: Work) -> None:
        super().__init__(work.title)
        self.work = work


@dataclass
class Survey:
    """Notes builds instead of making them. Implements `common.progress.Progress`."""

    used: dict[Path, None] = field(default_factory=dict)
    missing: dict[str, Work] = field(default_factory=dict)

    def note(self, folder: Path, *, is_built: bool, build: Callable[[Path], None]) -> None:
        """A build is asked for: note it, and what making it would be if it is not there."""
        self.used[folder] = None
        if is_built:
            return
        try:
            build(folder)
        except _ToBeDoneError as begun:
            self._add(begun.work)
        else:
            raise AssertionError(f"{folder.name} was built without saying so")

    def task(
        self, title: str, *, why: str = "", expected_s: float | None = None
    ) -> AbstractContextManager[Task]:
        raise _ToBeDoneError(Work(title=title, expected_s=expected_s))

    def say(self, message: str) -> None:
        pass

    def run(self, prepare: Callable[[Progress], object]) -> Surveyed:
        """What `prepare` would do."""
        problem = None
        try:
            prepare(self)
        except _ToBeDoneError as begun:
            self._add(begun.work)
        except SetupError as error:
            problem = error
        except OSError:
            if not self.missing:
                raise
            # It went on to read what is still to be built.
        return Surveyed(
            used=tuple(self.used), missing=tuple(self.missing.values()), problem=problem
        )

    def _add(self, work: Work) -> None:
        self.missing.setdefault(work.title, work)
