"""What holds an engine back that is not the engine: a limit on CPU time, heat, a hypervisor.

Linux counts it; read before and after, never in between. What the system does not tell is left
out, and unknown is not zero. Of figures, by name:

- cgroup_throttled_s, cgroup_throttled_periods: a cgroup (a container's CPU limit) held the engine's
  processes; of the groups above them the one that held longest.
- heat_throttles: times that processors were slowed for heat.
- steal_s: CPU seconds that the hypervisor gave to somebody else, over all processors.
- frequency_hz: of the fastest processor, at the end.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.clock import NS_PER_S

_ROOT = Path("/")
_CGROUPS = ("sys/fs/cgroup", "sys/fs/cgroup/unified", "sys/fs/cgroup/cpu,cpuacct")
_CPUS = "sys/devices/system/cpu"
_US_PER_S = 1e6
_HZ_PER_KHZ = 1000.0
_STEAL = 8
"""Place in the first line of /proc/stat."""


@dataclass(frozen=True, kw_only=True)
class HeldBack:
    """Counters at one moment."""

    groups: Mapping[Path, tuple[float, float]]
    """Of each cgroup: seconds and periods in which it was held."""
    heat: Mapping[Path, int]
    steal_s: float | None

    @classmethod
    def now(cls, processes: Iterable[int], root: Path = _ROOT) -> HeldBack:
        """Read what there is; `root` is where /proc and /sys lie."""
        groups = {}
        for folder in _folders(processes, root):
            if (found := _of_group(folder / "cpu.stat")) is not None:
                groups[folder] = found
        return cls(groups=groups, heat=_heat(root), steal_s=_steal_s(root))

    def since(self, before: HeldBack, root: Path = _ROOT) -> dict[str, float]:
        """What was added since `before`."""
        found: dict[str, float] = {}
        held = [
            (seconds - before.groups[folder][0], periods - before.groups[folder][1])
            for folder, (seconds, periods) in self.groups.items()
            if folder in before.groups
        ]
        if held:
            found["cgroup_throttled_s"], found["cgroup_throttled_periods"] = max(held)
        if heat := self.heat.keys() & before.heat.keys():
            found["heat_throttles"] = float(sum(self.heat[one] - before.heat[one] for one in heat))
        if self.steal_s is not None and before.steal_s is not None:
            found["steal_s"] = max(0.0, self.steal_s - before.steal_s)
        if hz := _frequency_hz(root):
            found["frequency_hz"] = hz
        return found


def _folders(processes: Iterable[int], root: Path) -> Iterator[Path]:
    """The cgroups of these processes and all above them, each once."""
    seen = set()
    for pid in processes:
        lines = _read(root / "proc" / str(pid) / "cgroup").splitlines()
        parts = [line.split(":", 2) for line in lines]
        for place in {path.strip("/") for _, kinds, path in parts if _counts_cpu(kinds)}:
            for mount in (root / name for name in _CGROUPS):
                inner = mount / place
                seen |= {inner, *(each for each in inner.parents if each.is_relative_to(mount))}
    yield from sorted(seen)


def _counts_cpu(kinds: str) -> bool:
    """Version 2 names no controllers, version 1 those of the hierarchy."""
    return not kinds or "cpu" in kinds.split(",")


def _of_group(path: Path) -> tuple[float, float] | None:
    words = dict(line.split(" ", 1) for line in _read(path).splitlines() if " " in line)
    with contextlib.suppress(KeyError, ValueError):
        periods = float(words["nr_throttled"])
        if "throttled_usec" in words:
            return float(words["throttled_usec"]) / _US_PER_S, periods
        return float(words["throttled_time"]) / NS_PER_S, periods
    return None


def _heat(root: Path) -> dict[Path, int]:
    found = {}
    for path in (root / _CPUS).glob("cpu[0-9]*/thermal_throttle/core_throttle_count"):
        with contextlib.suppress(ValueError):
            found[path] = int(_read(path))
    return found


def _steal_s(root: Path) -> float | None:
    words = _read(root / "proc" / "stat").partition("\n")[0].split()
    try:
        return int(words[_STEAL]) / os.sysconf("SC_CLK_TCK")
    except (IndexError, ValueError):
        return None


def _frequency_hz(root: Path) -> float | None:
    found = []
    for path in (root / _CPUS).glob("cpu[0-9]*/cpufreq/scaling_cur_freq"):
        with contextlib.suppress(ValueError):
            found.append(float(_read(path)) * _HZ_PER_KHZ)
    return max(found, default=None)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
