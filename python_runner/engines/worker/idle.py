"""Whether an engine in a process of its own still computes: by its CPU time, seen from outside.

An embedded engine hands over an answer as a whole (`wire.Generated` says why), so that nobody sees
from outside whether tokens still come. One that has hung up on a lock uses no CPU time, and one
that computes uses some, however slow it is.
"""

from __future__ import annotations

from collections.abc import Callable

import psutil

from python_runner.common.clock import NS_PER_S, now_ns

_LEAST_SHARE = 0.01
"""Of one core: less is not computing. Runtimes that wake up to look around take a tenth of it."""
_LOOKS = 8
"""In the time that is allowed."""
_MOST_LOOK_S = 15.0


class StalledError(TimeoutError):
    """It has not computed for too long."""


class IdleWatch:
    """Looks at a process and all below it while a request is under way.

    The process itself is asked first: to find all below it takes milliseconds.
    """

    def __init__(
        self,
        pid: int,
        limit_s: float,
        *,
        own_s: Callable[[int], float] | None = None,
        below_s: Callable[[int], float] | None = None,
        clock_ns: Callable[[], int] = now_ns,
    ) -> None:
        """Nothing is looked at yet.

        Args:
            pid: the process.
            limit_s: how long it may go without computing.
            own_s: CPU seconds of a process so far; None: as the kernel counts.
            below_s: of all below it; None: as the kernel counts.
            clock_ns: nanoseconds.
        """
        self.every_s: float = min(limit_s / _LOOKS, _MOST_LOOK_S)
        self._pid = pid
        self._limit_s = limit_s
        self._readers = (own_s or own_cpu_s, below_s or cpu_s_below)
        self._clock_ns = clock_ns
        self._seen_s: list[float | None] = [None, None]
        self._idle_s = 0.0
        self._looked_ns = clock_ns()

    def look(self) -> None:
        """Raises StalledError if it has not computed for so long."""
        now = self._clock_ns()
        passed_s, self._looked_ns = (now - self._looked_ns) / NS_PER_S, now
        if self._computes():
            self._idle_s = 0.0
            return
        # We may have been stopped ourselves, and it with us: such a gap counts as two looks.
        self._idle_s += min(passed_s, 2 * self.every_s)
        if self._idle_s >= self._limit_s:
            raise StalledError

    def _computes(self) -> bool:
        """Whether it has since it was last seen to; not known yet counts as yes."""
        for place, read in enumerate(self._readers):
            now_s, before_s = read(self._pid), self._seen_s[place]
            if before_s is None or abs(now_s - before_s) >= _LEAST_SHARE * self._limit_s:
                self._seen_s[place] = now_s
                return True
        return False


def own_cpu_s(pid: int) -> float:
    """CPU seconds of a process so far; 0: it is gone."""
    try:
        return float(sum(psutil.Process(pid).cpu_times()[:2]))
    except psutil.NoSuchProcess:
        return 0.0


def cpu_s_below(pid: int) -> float:
    """CPU seconds of all below a process that live."""
    try:
        below = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return 0.0
    return sum(own_cpu_s(process.pid) for process in below)
