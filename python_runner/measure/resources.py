"""What a request takes from the machine: CPU, memory, page faults, switches, energy.

Read from Linux, of all processes of an engine, just before a request and just after it; while
it runs, none of it is read.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from python_runner.measure.held_back import HeldBack

_PROC = Path("/proc")
_POWERCAP = Path("/sys/class/powercap")
_NS_PER_S = 1e9
_MICROJOULES_PER_J = 1e6
_COUNTERS = (
    "cpu_s",
    "user_cpu_s",
    "system_cpu_s",
    "minor_page_faults",
    "major_page_faults",
    "voluntary_switches",
    "involuntary_switches",
)


@dataclass
class Meter:
    """What `metered` found. `used` is empty until its block has ended, and if nothing was seen."""

    used: Mapping[str, float] = field(default_factory=dict)
    """Sums over the processes of the engine:

    - cpu_s: CPU seconds, to the nanosecond. user_cpu_s, system_cpu_s: by the kernel's own
      count, in steps of ten milliseconds.
    - minor_page_faults, major_page_faults.
    - voluntary_switches, involuntary_switches: of threads that lived on to the end.
    - resident_bytes at the end; peak_resident_bytes: the most that each ever had.
    - energy_j: of the whole machine's processors, where it may be read.
    - what `measure.held_back` names.
    """


def processes_below(roots: Iterable[int]) -> list[psutil.Process]:
    """The processes `roots` that live, and all below them.

    It looks through all processes of the machine: not to be called while anything is timed.
    """
    found: list[psutil.Process] = []
    for pid in roots:
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(pid)
            found += [root, *root.children(recursive=True)]
    return found


@contextmanager
def metered(roots: Iterable[int], found: Iterable[psutil.Process] | None = None) -> Iterator[Meter]:
    """Measure what the processes `roots`, and all below them, use within the block.

    `found`: what `processes_below` has just given for them; looked up here, if None. At the end it
    is looked up in any case: an engine may have started some meanwhile.
    """
    meter = Meter()
    roots = tuple(roots)
    held_before = HeldBack.now(roots)
    present = processes_below(roots) if found is None else found
    before = {process: _counters(process) for process in present}
    packages = energy_counters()
    yield meter
    energy_j = energy_since(packages)
    used: dict[str, float] = {}
    for process in processes_below(roots):
        now, then = _counters(process), before.get(process, {})
        for name, value in now.items():
            # Less than before: a thread has ended, and took its switches with it.
            spent = max(0.0, value - then.get(name, 0.0)) if name in _COUNTERS else value
            used[name] = used.get(name, 0.0) + spent
    if not used:
        return
    if energy_j is not None:
        used["energy_j"] = energy_j
    meter.used = used | HeldBack.now(roots).since(held_before)


@dataclass(frozen=True)
class _Package:
    """The energy counter of a processor."""

    folder: Path
    microjoules: int


def energy_counters(folder: Path = _POWERCAP) -> tuple[_Package, ...]:
    """The energy counters of all processors (RAPL); none where they may not be read."""
    found = []
    # `intel-rapl:0:1` and the like are parts of `intel-rapl:0`.
    for package in sorted(folder.glob("intel-rapl:[0-9]*")):
        if package.name.count(":") == 1:
            with contextlib.suppress(OSError, ValueError):
                found.append(_Package(package, int((package / "energy_uj").read_text())))
    return tuple(found)


def energy_since(before: tuple[_Package, ...]) -> float | None:
    """Joules since the counters were read; None if there are none.

    A counter that begins anew in between is taken to have done so once.
    """
    if not before:
        return None
    microjoules = 0
    try:
        for package in before:
            spent = int((package.folder / "energy_uj").read_text()) - package.microjoules
            if spent < 0:
                spent += int((package.folder / "max_energy_range_uj").read_text())
            microjoules += spent
    except (OSError, ValueError):
        return None
    return microjoules / _MICROJOULES_PER_J


def _counters(process: psutil.Process) -> dict[str, float]:
    """Counters of one process so far; what the system does not tell is left out."""
    found: dict[str, float] = {}
    with contextlib.suppress(psutil.Error, OSError, ValueError, IndexError):
        found.update(_of_stat(process.pid))
        found.update(_of_threads(process.pid))
        found.update(_memory(process.pid))
        found["cpu_s"] = _cpu_clock_ns(process.pid) / _NS_PER_S
    return found


def _of_stat(pid: int) -> dict[str, float]:
    # The second field is the program's name in brackets, which may hold anything.
    words = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return {
        "minor_page_faults": float(words[7]),
        "major_page_faults": float(words[9]),
        "user_cpu_s": int(words[11]) / ticks,
        "system_cpu_s": int(words[12]) / ticks,
    }


def _of_threads(pid: int) -> dict[str, float]:
    """Linux counts switches for each thread, and forgets those of threads that have ended."""
    names = {
        "voluntary_ctxt_switches:": "voluntary_switches",
        "nonvoluntary_ctxt_switches:": "involuntary_switches",
    }
    found = dict.fromkeys(names.values(), 0.0)
    for thread in (_PROC / str(pid) / "task").iterdir():
        with contextlib.suppress(OSError):
            for line in (thread / "status").read_text().splitlines()[-2:]:
                key, _, value = line.partition("\t")
                if key in names:
                    found[names[key]] += int(value)
    return found


def _memory(pid: int) -> dict[str, float]:
    names = {"VmHWM:": "peak_resident_bytes", "VmRSS:": "resident_bytes"}
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    words = (line.split() for line in lines if line.startswith(tuple(names)))
    return {names[name]: int(size) * 1024.0 for name, size, *_ in words}


def _cpu_clock_ns(pid: int) -> int:
    """CPU time of all threads a process ever had, from the clock that Linux keeps for it."""
    return time.clock_gettime_ns((~pid << 3) | 2)
