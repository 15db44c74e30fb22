"""Logs of engines: their end for a message, and a size that cannot fill the disk.

An engine writes into the file itself, so that no pipe of ours can hold it up. What it writes
beyond a limit is left out in the middle: versions and settings stand at the beginning, the reason
of a crash at the end. While it writes, the middle's room on the disk is given back and nothing
else is touched; when it has ended, the file is made shorter.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO

LIMIT_BYTES = 32 << 20
"""More than engines write in a day; a log may be longer for the moment between two looks."""
LEFT_OUT = b"\n[polystack: this log grew too large; what stood here was left out]\n"
_LIBC = ctypes.CDLL(None)
_PUNCH_AND_KEEP_SIZE = 0x02 | 0x01
_BLOCK_BYTES = 512
"""Of `st_blocks`, whatever the file system's own are."""
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
            end = _end_of(file)
    except OSError:
        return ""
    found = end.decode(errors="replace").splitlines()[-lines:]
    return "\n".join(_short(line) for line in found)


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


def _end_of(file: BinaryIO) -> bytes:
    """Its last bytes; it may be cut while they are read."""
    size = os.fstat(file.fileno()).st_size
    while True:
        end = os.pread(file.fileno(), _READ_BYTES, max(0, size - _READ_BYTES))
        before, size = size, os.fstat(file.fileno()).st_size
        if size >= before:
            return end


def give_back(log: Path, *, limit: int = LIMIT_BYTES) -> None:
    """Free the disk of the middle of a log that takes more than `limit` bytes of it.

    Nothing that is written meanwhile is lost. Where the file system cannot do it, the log is cut.
    """
    with contextlib.suppress(OSError), log.open("r+b") as file:
        found = os.fstat(file.fileno())
        if found.st_blocks * _BLOCK_BYTES <= limit:
            return
        if not _punch(file.fileno(), _HEAD_BYTES, found.st_size - _TAIL_BYTES - _HEAD_BYTES):
            cut(log, limit=limit)


def _punch(descriptor: int, offset: int, length: int) -> bool:
    """Whether the file system has freed that part, which then reads as zeros."""
    if sys.platform != "linux" or length <= 0:
        return False
    where = (ctypes.c_longlong(offset), ctypes.c_longlong(length))
    return bool(_LIBC.fallocate(descriptor, _PUNCH_AND_KEEP_SIZE, *where) == 0)


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
            give_back(log)
        cut(log)
    finally:
        os.close(handle)
