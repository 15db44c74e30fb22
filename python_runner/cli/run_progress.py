"""A run in the terminal that it was started in: the table that `polystack watch` draws.

This process measures, so it does little besides. What is stored is read, and laid out, when a
stage reports how far it is, which in a comparison is between two requests, and at most every two
seconds. While a request is timed, a thread draws those lines with the clock, once a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live

from python_runner.cli.progress import Estimate, TerminalProgress
from python_runner.common import progress as contract
from python_runner.report.terminal.live import LiveView
from python_runner.run.watch import Watch

_LOOK_EVERY_S = 2.0
_DRAW_EVERY_S = 1.0


class _LiveTask:
    """A task within the run: its note stands in the view."""

    def __init__(self, watch: Watch, view: LiveView, title: str, console: Console) -> None:
        self._watch = watch
        self._view = view
        self._title = title
        self._console = console
        self._looked_s = time.monotonic()

    def update(self, fraction: float | None = None, note: str = "") -> None:
        if note:
            self._view.note = f"{self._title}: {note}"
        now = time.monotonic()
        if now - self._looked_s >= _LOOK_EVERY_S:
            self._looked_s = now
            self._view.run = self._watch.look()
            self._view.lay_out(self._console)


class RunProgress(TerminalProgress):
    """Shows the tasks of a run above its figures so far, and all others as usual."""

    def __init__(self, console: Console, store: Path) -> None:
        """`store`: of the run that will begin."""
        super().__init__(console)
        self._store = store
        self._watch: Watch | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watch is not None:
            self._watch.__exit__(kind, error, trace)

    def begin(self, run_id: int) -> None:
        """The run is stored from now on under this number."""
        if self.console.is_terminal:
            self._watch = Watch(self._store, run_id)

    @contextmanager
    def drawn(self, title: str, estimate: Estimate) -> Iterator[contract.Task]:
        if self._watch is None:
            with super().drawn(title, estimate) as task:
                yield task
            return
        view = LiveView(self._watch.look(), self._watch.clock, note=title)
        with Live(view, console=self.console, refresh_per_second=1 / _DRAW_EVERY_S, transient=True):
            yield _LiveTask(self._watch, view, title, self.console)
