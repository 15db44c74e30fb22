"""Runs a container, and removes it when the workbench ends it or is gone.

`python container_guard.py PROGRAM NAME run …`. The container is no child of ours: killing the
program that started it would leave it behind. Started as a file, for speed: it imports nothing
of the package. The kernel sends it SIGTERM when the workbench dies (`start_child`).
"""

from __future__ import annotations

import signal
import subprocess
import sys
from types import FrameType

_REMOVE_TIMEOUT_S = 60.0
_ENDINGS = (signal.SIGTERM, signal.SIGINT)


def main() -> None:
    """Run it; its exit code is ours (128 + n for a signal)."""
    program, name, *words = sys.argv[1:]
    for number in _ENDINGS:
        signal.signal(number, _end)
    try:
        code = subprocess.Popen([program, *words]).wait()
    finally:
        for number in _ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        subprocess.run(
            [program, "rm", "--force", name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_REMOVE_TIMEOUT_S,
            check=False,
        )
    sys.exit(code if code >= 0 else 128 - code)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
