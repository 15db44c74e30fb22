"""Logs of engines: their end for a message, and a size that cannot fill the disk.

An engine writes into the file itself, so that no pipe of ours can hold it up. What it writes
beyond a limit is cut out of the middle: versions and settings stand at the beginning, the reason
of a crash at the end.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import threading
from pathlib import Path

LIMIT_BYTES = 32 << 20
"""More than engines write in a day; a log may be longer for the moment between two looks."""
LEFT_OUT = b"\n[polystack: this log grew too large; what stood here was left out]\n"
_HEAD_BYTES = 1 << 20
_TAIL_BYTES = 1 << 20
_LOOK_MS = 100
_LONGEST_LINE = 500
_READ_BYTES = 64 << 10


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, for an error message; empty if there is none.

    Only its end is read, and of a line that never ends only the beginning of what is read.
    """
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _READ_BYTES))
            end = file.read(_READ_BYTES)
    except OSError:
        return ""
    found = end.decode(errors="replace").splitlines()[-lines:]
    return "\n".join(_short(line) for line in found)


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


def cut(log: Path, *, limit: int = LIMIT_BYTES) -> bool:
    """Cut the middle out of a log that has outgrown `limit` bytes; whether that was so.

    Whoever writes has to append. What is written while it is cut may be left out, too.
    """
    with contextlib.suppress(OSError), log.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        if size <= limit:
            return False
        head = os.pread(file.fileno(), _HEAD_BYTES, 0).partition(LEFT_OUT)[0]
        head = head[: head.rfind(b"\n") + 1] or head
        end = os.pread(file.fileno(), _TAIL_BYTES, size - _TAIL_BYTES)
        end = end[end.find(b"\n") + 1 :]
        kept = LEFT_OUT + end
        os.pwrite(file.fileno(), kept, len(head))
        file.truncate(len(head) + len(kept))
        return True
    return False


def keep_small(child: subprocess.Popen[bytes], log: Path) -> None:
    """Look after `log` as long as `child` lives, in a thread that sleeps in between.

    Does nothing where the kernel has no way to wait for a process beside its parent's.
    """
    if not hasattr(os, "pidfd_open"):
        return
    try:
        handle = os.pidfd_open(child.pid)
    except OSError:
        return
    threading.Thread(target=_look_after, args=(handle, log), name="log", daemon=True).start()


def _look_after(handle: int, log: Path) -> None:
    try:
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        while not poller.poll(_LOOK_MS):
            cut(log)
        cut(log)
    finally:
        os.close(handle)
