"""Long work in the terminal: a bar with the time left, or plain lines in a log file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Task as RichTask
from rich.text import Text

from python_runner.common import progress as contract
from python_runner.report.units import spell_duration

_PLAIN_EVERY_S = 20.0
_ENOUGH = 0.05
"""Progress from which a rate can be told; before that the expectation is the better guess."""
_SOMETHING = 0.01
"""Progress from which a first guess is better than none."""


class Estimate:
    """Time left, in seconds, from what is done and from what was expected at the start."""

    def __init__(self, expected_s: float | None, started_s: float) -> None:
        self._expected_s = expected_s
        self._started_s = started_s
        self._first: tuple[float, float] | None = None
        self.fraction: float | None = None

    def update(self, fraction: float | None, now_s: float) -> None:
        """`fraction` of the work is done at `now_s`; None leaves it as it was."""
        if fraction is None:
            return
        self.fraction = fraction
        if self._first is None and fraction > 0:
            self._first = (now_s, fraction)

    def left_s(self, now_s: float) -> float | None:
        """Seconds left; None if nothing is known yet."""
        elapsed = now_s - self._started_s
        if self._first and self.fraction is not None:
            since, begin = self._first
            if self.fraction - begin >= _ENOUGH:
                # The rate since the first step: what came before (loading) is not repeated.
                return (1 - self.fraction) * (now_s - since) / (self.fraction - begin)
            if self._expected_s is None and self.fraction >= _SOMETHING:
                return (1 - self.fraction) * elapsed / self.fraction
        # Overdue: "0 s left" would be a lie, so nothing is said.
        if self._expected_s is None or elapsed > self._expected_s:
            return None
        return self._expected_s - elapsed


class _LeftColumn(TextColumn):
    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: RichTask) -> Text:
        left = task.fields["estimate"].left_s(time.monotonic())
        return Text("" if left is None else f"about {spell_duration(left)} left", style="cyan")


class _BarTask:
    def __init__(self, bars: Progress, title: str, estimate: Estimate) -> None:
        self._bars = bars
        self._estimate = estimate
        self._id = bars.add_task(title, total=None, note="", estimate=estimate)

    def update(self, fraction: float | None = None, note: str = "") -> None:
        self._estimate.update(fraction, time.monotonic())
        if fraction is not None:
            self._bars.update(self._id, total=1.0, completed=fraction)
        if note:
            self._bars.update(self._id, note=Text(note[:48], style="dim"))


class _PlainTask:
    def __init__(self, console: Console, title: str, estimate: Estimate) -> None:
        self._console = console
        self._title = title
        self._estimate = estimate
        self._last_s = time.monotonic()

    def update(self, fraction: float | None = None, note: str = "") -> None:
        now = time.monotonic()
        self._estimate.update(fraction, now)
        if now - self._last_s < _PLAIN_EVERY_S:
            return
        self._last_s = now
        left = self._estimate.left_s(now)
        remaining = "" if left is None else f", about {spell_duration(left)} left"
        line = f"  … {self._title}{remaining}" + (f"; {note}" if note else "")
        # A line of a log is one line, however long.
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class TerminalProgress:
    """Implements `common.progress.Progress` on a rich console."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, message: str) -> None:
        self.console.print(message, markup=False, highlight=False)

    @contextmanager
    def task(
        self, title: str, *, why: str = "", expected_s: float | None = None
    ) -> Iterator[contract.Task]:
        started = time.monotonic()
        duration = "" if expected_s is None else f"about {spell_duration(expected_s)}"
        details = "; ".join(part for part in (why, duration) if part)
        self.say(f"→ {title}" + (f" ({details})" if details else ""))
        estimate = Estimate(expected_s, started)
        if self.console.is_terminal:
            with self.drawn(title, estimate) as shown:
                yield shown
        else:
            yield _PlainTask(self.console, title, estimate)
        self.say(f"  done in {spell_duration(time.monotonic() - started)}")

    @contextmanager
    def drawn(self, title: str, estimate: Estimate) -> Iterator[contract.Task]:
        """What a terminal shows while the task is under way."""
        with self._bars() as bars:
            yield _BarTask(bars, title, estimate)

    def _bars(self) -> Progress:
        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            _LeftColumn(),
            TextColumn("{task.fields[note]}"),
            console=self.console,
            transient=True,
        )
