"""Runs a command, and ends everything below it when the workbench is gone.

`python guard.py COMMAND…`. A build is a tree of processes (pip, cargo, compilers), and the
kernel tells only the topmost that its parent died. Started as a file, for speed: it imports
nothing of the package.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import subprocess
import sys
from types import FrameType

import psutil

_PR_SET_CHILD_SUBREAPER = 36
_ENDINGS = (signal.SIGTERM, signal.SIGINT)
_GRACE_S = 1.0


def main() -> None:
    """Run the command that the arguments name; its exit code is ours (128 + n for a signal)."""
    if sys.platform == "linux":
        # What loses its parent becomes our child, so that it can be found.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    for number in _ENDINGS:
        signal.signal(number, _end)
    try:
        code = subprocess.Popen(sys.argv[1:]).wait()
    finally:
        _end_all_below()
    sys.exit(code if code >= 0 else 128 - code)


def _end(number: int, _frame: FrameType | None) -> None:
    for other in _ENDINGS:
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _end_all_below() -> None:
    while below := psutil.Process().children(recursive=True):
        for process in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(below, timeout=_GRACE_S)


if __name__ == "__main__":
    main()
