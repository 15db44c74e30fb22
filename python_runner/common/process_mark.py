"""A process that can be told from a later one that was given the same number."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import psutil

_PROC = Path("/proc")
_BOOT = _PROC / "sys" / "kernel" / "random" / "boot_id"
_MS_PER_S = 1000
_ENDED = ("Z", "X")
"""States of a process that is over, and of which the kernel only keeps the exit code."""


class Life(StrEnum):
    """What can be said of a process that was seen before."""

    RUNS = "runs"
    GONE = "gone"
    UNKNOWN = "unknown"
    """It runs, or ran, where its number cannot be looked up: in another container."""


@dataclass(frozen=True, kw_only=True)
class ProcessMark:
    """Number and start of a process, and where that number means something."""

    pid: int
    started: int
    """Linux: ticks from the start of the machine; elsewhere: milliseconds since 1970."""
    boot: str
    """Another one after each start of the machine; empty where the system does not tell."""
    space: str
    """Which processes are counted together (Linux: the PID namespace, a container's own)."""

    @classmethod
    def of_this_process(cls) -> ProcessMark:
        """The mark of this process."""
        pid = os.getpid()
        started = _started(pid)
        assert started is not None, "this process runs"
        return cls(pid=pid, started=started, boot=_boot(), space=_space())

    @classmethod
    def from_json(cls, text: str) -> ProcessMark:
        """What `to_json` wrote."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def life(self) -> Life:
        """Whether it still runs. A number that was given away again is not taken for it."""
        if self.boot != _boot():
            return Life.GONE
        if self.space != _space():
            return Life.UNKNOWN
        return Life.RUNS if _started(self.pid) == self.started else Life.GONE


def _started(pid: int) -> int | None:
    """When a process was started; None if there is none of this number."""
    if not _BOOT.exists():
        try:
            return round(psutil.Process(pid).create_time() * _MS_PER_S)
        except psutil.Error:
            return None
    try:
        # The second field is the program's name in brackets, which may hold anything.
        words = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if words[0] in _ENDED else int(words[19])


def _boot() -> str:
    return _BOOT.read_text().strip() if _BOOT.exists() else ""


def _space() -> str:
    try:
        return str((_PROC / "self" / "ns" / "pid").readlink())
    except OSError:
        return ""
