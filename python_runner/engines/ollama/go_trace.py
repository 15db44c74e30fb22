"""Go's collector in processes that are not ours, from what GODEBUG=gctrace=1 has them log.

A line tells when a collection ended its cycle, since the start of its process, and how long
each phase took:

    gc 7 @2.104s 0%: 0.021+0.81+0.006 ms clock, 0.042+0.23/0.35/0+0.012 ms cpu, 7->7->3 MB, …

The first and the last number of `clock` are pauses, in which no Go code of the process runs
(code in C goes on); between them it runs beside the collector. All processes of a server write
to one log, and no line says whose it is: its number and its time do.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.clock import NS_PER_MS, NS_PER_S, now_ns

SETTING = "gctrace=1"
"""Of GODEBUG."""

_LINE = re.compile(
    r"\bgc (?P<number>\d+) @(?P<at>[\d.]+)s \d+%: "
    r"(?P<clock>[\d.+]+) ms clock, (?P<cpu>[\d.+/]+) ms cpu\b"
)
_SLACK_NS = 300 * NS_PER_MS
"""Between the start of a process and that of its Go runtime, from which a line counts."""


@dataclass(frozen=True, kw_only=True)
class Collection:
    """One cycle of a collector."""

    number: int
    """From 1 in each process."""
    at_ns: int
    """Since the start of its process."""
    pause_ns: float
    concurrent_ns: float
    """By the clock, beside the program."""
    cpu_ns: float
    """All its work, idle cores that helped included."""


def is_collection(line: str) -> bool:
    """Whether this line of a log is about a collection."""
    return _LINE.search(line) is not None


def collections_in(text: str) -> list[Collection]:
    """All collections that a log tells of, in its order."""
    return [_read(found) for found in _LINE.finditer(text)]


def _read(found: re.Match[str]) -> Collection:
    begin, middle, end = (float(ms) for ms in found["clock"].split("+"))
    return Collection(
        number=int(found["number"]),
        at_ns=round(float(found["at"]) * NS_PER_S),
        pause_ns=(begin + end) * NS_PER_MS,
        concurrent_ns=middle * NS_PER_MS,
        cpu_ns=sum(float(ms) for ms in re.split(r"[+/]", found["cpu"])) * NS_PER_MS,
    )


class GoTrace:
    """Follows the log of a server of several Go processes from request to request."""

    def __init__(self, log: Path, starts_ns: Mapping[str, int]) -> None:
        """Begin at the end of `log`.

        Args:
            log: what all of them write to.
            starts_ns: when each process started (`process_start_ns`), under a name for it.
        """
        self._log = log
        self._starts_ns = starts_ns
        self._numbers: dict[str, int] = {}
        """Of the last collection of each process, once one was seen."""
        self._read_bytes = log.stat().st_size
        self._read_ns = now_ns()

    def skip(self) -> None:
        """Forget what was logged since the last look, but for whose it was."""
        self._share_out(self._new())

    def timings(self) -> dict[str, float]:
        """What was collected since the last look, as figures for `engine_timings`.

        Sums over the processes, and `gc_NAME_…` for each of them; ns of the clock, and of CPU.
        """
        found = self._share_out(self._new())
        every = [collection for mine in found.values() for collection in mine]
        figures = _figures("gc", every)
        for name, mine in found.items():
            figures |= _figures(f"gc_{name}", mine)
        return figures

    def _new(self) -> list[Collection]:
        """Whole lines that were added; the beginning of another waits for its end."""
        with self._log.open("rb") as log:
            # One that had grown too large was cut (`common.logs`): what was new is not known.
            self._read_bytes = min(self._read_bytes, log.seek(0, os.SEEK_END))
            log.seek(self._read_bytes)
            added = log.read()
        whole = added[: added.rfind(b"\n") + 1]
        self._read_bytes += len(whole)
        return collections_in(whole.decode(errors="replace"))

    def _share_out(self, found: Iterable[Collection]) -> dict[str, list[Collection]]:
        begin_ns, self._read_ns = self._read_ns, now_ns()
        shared: dict[str, list[Collection]] = {name: [] for name in self._starts_ns}
        for collection in found:
            name = self._whose(collection, begin_ns, self._read_ns)
            self._numbers[name] = collection.number
            shared[name].append(collection)
        return shared

    def _whose(self, collection: Collection, begin_ns: int, end_ns: int) -> str:
        """The process that it fits in time; of several, the one whose count goes on so."""

        def misfit(name: str) -> tuple[int, int]:
            at_ns = self._starts_ns[name] + collection.at_ns
            outside_ns = max(begin_ns - _SLACK_NS - at_ns, at_ns - end_ns, 0)
            return outside_ns, abs(collection.number - 1 - self._numbers.get(name, 0))

        return min(self._starts_ns, key=misfit)


def _figures(prefix: str, found: Sequence[Collection]) -> dict[str, float]:
    return {
        f"{prefix}_cycles": float(len(found)),
        f"{prefix}_pause_ns": sum(one.pause_ns for one in found),
        f"{prefix}_concurrent_ns": sum(one.concurrent_ns for one in found),
        f"{prefix}_cpu_ns": sum(one.cpu_ns for one in found),
    }


def process_start_ns(pid: int) -> int:
    """When a process started, on our clock; to ten milliseconds. Raises OSError if it is gone."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    since_boot_ns = int(words[19]) * NS_PER_S // os.sysconf("SC_CLK_TCK")
    # The two clocks differ by the time that the machine has slept.
    slept_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - now_ns()
    return since_boot_ns - slept_ns
