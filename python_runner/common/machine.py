"""What `polystack doctor` says of the machine: platform, processor, memory, disk, ports."""

from __future__ import annotations

import errno
import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from python_runner.common.checkup import Finding, State
from python_runner.common.host import cpu_name, physical_cores
from python_runner.common.locations import CACHE_VARIABLE, cache_dir
from python_runner.common.processes import free_port

_OLLAMA_PORT = 11434
_LITTLE_DISK_BYTES = 3_000_000_000
"""Less than what the builds and their temporary files need."""
_GB = 1e9


class MachineCheckup:
    """Implements `checkup.Checkup`."""

    title = "Machine"

    def look(self) -> Iterator[Finding]:
        yield platform_finding(sys.platform, platform.machine())
        cores = physical_cores()
        yield Finding(
            subject="processor",
            state=State.READY,
            detail=f"{cpu_name()}, {cores} {'core' if cores == 1 else 'cores'} for us",
        )
        memory = psutil.virtual_memory()
        yield Finding(
            subject="memory",
            state=State.READY,
            detail=f"{memory.total / _GB:.1f} GB, {memory.available / _GB:.1f} GB available",
        )
        yield _disk()
        yield from _ports()


def platform_finding(system: str, machine: str) -> Finding:
    """What is known of this platform: `sys.platform` and `platform.machine()`."""
    known = {
        ("linux", "x86_64"): (State.READY, "tested"),
        ("linux", "aarch64"): (
            State.NOTE,
            "not tested; the compilers choose the CPU's instructions themselves",
        ),
        ("darwin", "arm64"): (
            State.NOTE,
            "not tested; if the workbench is killed by force, its engines go on running",
        ),
    }
    state, text = known.get(
        (system, machine.lower()), (State.NOTE, "not tested; Linux on x86-64 is")
    )
    return Finding(subject="platform", state=state, detail=f"{system} {machine}: {text}")


def _disk() -> Finding:
    folder = cache_dir()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if not os.access(existing, os.W_OK):
        return Finding(
            subject="cache",
            state=State.MISSING,
            detail=f"{folder} cannot be written",
            mend=f"Set {CACHE_VARIABLE} to a folder of yours.",
            is_needed=True,
        )
    is_little = free < _LITTLE_DISK_BYTES
    return Finding(
        subject="cache",
        state=State.NOTE if is_little else State.READY,
        detail=f"{folder}, {free / _GB:.1f} GB free on its disk",
        mend="polystack clean-cache" if is_little else "",
    )


def _ports() -> Iterator[Finding]:
    try:
        free_port()
    except OSError as error:
        yield Finding(
            subject="ports",
            state=State.MISSING,
            detail=f"127.0.0.1 gives no port: {error.strerror}",
            mend="Served stacks need one: look at the machine's network settings.",
            is_needed=True,
        )
        return
    taken = " (11434 is taken, as by an Ollama of yours: it is left alone)"
    yield Finding(
        subject="ports",
        state=State.READY,
        detail="each server gets a free one of 127.0.0.1"
        + (taken if _is_taken(_OLLAMA_PORT) else ""),
    )


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def writable_parent(folder: Path) -> Path | None:
    """The nearest folder at or above `folder` that is there, if it can be written."""
    existing = next(
        path for path in (folder.absolute(), *folder.absolute().parents) if path.exists()
    )
    return existing if os.access(existing, os.W_OK) else None
