"""The machine, in the words that go beside every result."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil


def describe_host() -> dict[str, object]:
    """CPU, cores, memory (bytes), operating system and Python of this machine."""
    return {
        "cpu": cpu_name(),
        "cores": physical_cores(),
        "memory_bytes": psutil.virtual_memory().total,
        "os": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def physical_cores() -> int:
    """Physical cores that this process may use; at least 1."""
    return max(1, min(psutil.cpu_count(logical=False) or 1, logical_processors()))


def logical_processors() -> int:
    """Processors, as the system counts them, that this process may use; at least 1."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, usable or 1)


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
