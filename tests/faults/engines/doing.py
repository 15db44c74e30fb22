"""What a faulty engine does, and when: its environment says it. No import beyond Python's own.

FAULT: `WHEN HOW`. WHEN: loading, ready, or of a request first, middle, after (its first token,
two of them, all of them). HOW: the name of a signal, hang, memory, exit0, exit1, never, or log-N.
FAULT_AT: the request that it comes at, from 1. FAULT_ALSO: what it is besides, in words.
FAULT_ONCE: a file; where it is there, nothing goes wrong, and it is made when something does.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

FOREVER_S = 600
LAST_WORDS = "last words before the fault"
_MIB = 1 << 20
_CHILD = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
_DAEMON = (
    "import os, signal, time; signal.signal(15, signal.SIG_IGN)\n"
    "os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); time.sleep(600)"
)


class Fault:
    """The fault of this process."""

    def __init__(self) -> None:
        self._when, self._how = os.environ.get("FAULT", "never never").split()
        self._at = int(os.environ.get("FAULT_AT", "1"))
        self._once = os.environ.get("FAULT_ONCE", "")
        self.also = os.environ.get("FAULT_ALSO", "").split()
        self._request = 0

    def begin(self) -> None:
        """The process has started."""
        say("version of the engine: 1")
        if "ignores-sigterm" in self.also:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for name, program in (("grandchild", _CHILD), ("daemon", _DAEMON)):
            if name in self.also:
                subprocess.Popen([sys.executable, "-S", "-c", program])
        self.come("loading")

    def asked(self) -> None:
        """A request begins."""
        self._request += 1

    def is_due(self, when: str) -> bool:
        """Whether it goes wrong now."""
        if when != self._when or (self._request and self._request < self._at):
            return False
        return not (self._once and Path(self._once).exists())

    def come(self, when: str) -> None:
        """Let it go wrong, if it is time for that."""
        if not self.is_due(when):
            return
        if self._once:
            Path(self._once).touch()
        say(LAST_WORDS)
        do(self._how)
        if "then-dies" in self.also:
            os.kill(os.getpid(), signal.SIGKILL)


def say(line: str) -> None:
    """Print, as libraries do."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def do(how: str) -> None:
    """Go wrong in that way."""
    if how.startswith("SIG"):
        os.kill(os.getpid(), signal.Signals[how])
        time.sleep(FOREVER_S)
    elif how == "hang":
        time.sleep(FOREVER_S)
    elif how == "memory":
        _take_all_memory()
    elif how == "exit0":
        os._exit(0)
    elif how == "exit1":
        say("no such tensor: blk.7")
        os._exit(1)
    elif how == "silent-exit":
        os._exit(3)
    elif how.startswith("log-"):
        _print_much(int(how.removeprefix("log-")))


def _take_all_memory() -> None:
    """More than the process is allowed, which then ends as C++ does without a handler."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 64 * _MIB, resource.RLIM_INFINITY))
    try:
        bytearray(512 * _MIB)
    except MemoryError:
        traceback.print_exc()
        os.abort()


def _print_much(mebibytes: int) -> None:
    line = b"x" * 99 + b"\n"
    part = line * (_MIB // len(line))
    for _ in range(mebibytes):
        os.write(sys.stdout.fileno(), part)
    say("end of a long log")
