"""How long a build took, kept in a small file inside the build's folder."""

from __future__ import annotations

import json
import os
import resource
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from python_runner.common.clock import utc_date

BUILD_TIME = "build-time.json"
_BUSY = 0.5
"""Of the cores: above that, others had a good part of the machine."""


@dataclass(frozen=True, kw_only=True)
class BuildTime:
    """What one build took on this machine."""

    wall_s: float
    cpu_s: float
    """Of all child processes that ended meanwhile: compilers, linkers, build tools."""
    cores: int
    """Logical processors that it was allowed to use."""
    created: str
    load_before: float = 0.0
    """The machine's load average (of a minute) when it began: what else was running."""
    from_nothing: bool = False
    """Whether the compilers' own caches (cargo's, Go's) were known to be empty."""

    @property
    def was_busy(self) -> bool:
        """Whether so much else was running that the wall time says little."""
        return self.load_before > _BUSY * self.cores


class BuildClock:
    """Runs from its creation."""

    def __init__(self) -> None:
        self._wall_s = time.monotonic()
        self._cpu_s = _children_cpu_s()
        self._load, _, _ = os.getloadavg()

    def read(self) -> BuildTime:
        """What has passed so far. Children count once they have ended."""
        return BuildTime(
            wall_s=time.monotonic() - self._wall_s,
            cpu_s=_children_cpu_s() - self._cpu_s,
            cores=_cores(),
            created=utc_date(),
            load_before=self._load,
        )


def keep_time(folder: Path, taken: BuildTime) -> None:
    """Write down what the build in `folder` took."""
    fresh = folder / f".{BUILD_TIME}.{os.getpid()}"
    fresh.write_text(json.dumps(asdict(taken), indent=2), encoding="utf-8")
    fresh.replace(folder / BUILD_TIME)


def kept_time(folder: Path) -> BuildTime | None:
    """What the build in `folder` took; None if nobody wrote it down, or not legibly."""
    try:
        kept = json.loads((folder / BUILD_TIME).read_text(encoding="utf-8"))
        return BuildTime(**kept)
    except (OSError, ValueError, TypeError):
        return None


def move_times(made: Path, builds: Path) -> tuple[str, ...]:
    """Give builds in `builds` the times of the builds of the same name in `made`.

    Args:
        made: a folder of builds that were made with empty caches.
        builds: the folder of builds that are used.

    Returns:
        The names of the builds that got one.
    """
    moved = []
    for folder in sorted(made.iterdir()):
        taken = None if folder.is_symlink() else kept_time(folder)
        if taken is not None and (builds / folder.name).is_dir():
            keep_time(builds / folder.name, replace(taken, from_nothing=True))
            moved.append(folder.name)
    return tuple(moved)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
