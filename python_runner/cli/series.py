"""Progress of several runs, one after the other."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console

from python_runner.cli.run_progress import RunProgress

if TYPE_CHECKING:
    from python_runner.run.published import Made
    from python_runner.study import Study


class Watched:
    """A progress of its own for each run, ended with it."""

    def __init__(self, console: Console, store: Path, runs: int) -> None:
        """`runs`: how many there will be."""
        self._console = console
        self._store = store
        self._runs = runs
        self._current: RunProgress | None = None

    def progress_of(self, study: Study, number: int) -> RunProgress:
        """Of the run that begins; the one before is over."""
        self._end()
        if self._runs > 1:
            self._console.print(
                f"\nRun {number} of {self._runs}: {' or '.join(study.model)}, {study.precision}",
                markup=False,
                highlight=False,
            )
        self._current = RunProgress(self._console, self._store).__enter__()
        return self._current

    def begin(self, run_id: int) -> None:
        """The run is stored from now on under this number."""
        assert self._current is not None, "begin() before progress_of()"
        self._current.begin(run_id)

    def ended(self, made: Made) -> Made:
        """The run is over."""
        self._end()
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._current is not None:
            self._current.__exit__(None, None, None)
            self._current = None
