"""Peak memory of a process tree."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import psutil

from python_runner.measure.resources import processes_below


class PeakMemory:
    """Sum, over the processes of a tree, of the most resident memory each ever had.

    Resident memory counts pages of memory-mapped weights, as `ps` does. Pages that two
    processes share count twice; none of the engines here shares weights between processes.
    """

    def __init__(self, roots: Iterable[int]) -> None:
        self._roots = tuple(roots)
        self._peaks: dict[int, int] = {}
        self._before = 0
        """The peak of the trees that it followed before this one."""

    def follow(self, roots: Iterable[int]) -> None:
        """Another tree has taken the place of the last: the larger peak counts, not both."""
        now = tuple(roots)
        if now != self._roots:
            self._before = self.bytes or 0
            self._roots, self._peaks = now, {}

    def update(self) -> None:
        """Look now. Called between requests, never while one is timed."""
        for process in processes_below(self._roots):
            with contextlib.suppress(psutil.NoSuchProcess, OSError):
                seen = _peak_bytes(process)
                self._peaks[process.pid] = max(seen, self._peaks.get(process.pid, 0))

    @property
    def bytes(self) -> int | None:
        """The peak so far; None if no process was ever seen."""
        return max(sum(self._peaks.values()), self._before) or None


def _peak_bytes(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    # Elsewhere the kernel keeps no mark that psutil reads; the present value is a lower bound.
    resident: int = process.memory_info().rss
    return resident
