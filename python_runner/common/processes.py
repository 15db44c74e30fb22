"""Child processes that cannot outlive us.

Every child gets a session of its own, so that the whole tree can be ended at once, and
asks the kernel to be killed when its parent dies (Linux), so that even `kill -9` on the
workbench leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

import psutil

from python_runner.common.secrets import without_secrets

_PR_SET_PDEATHSIG = 1
_GRACE_S = 5.0
# Opened before any fork: between fork and exec nothing may take a lock.
_LIBC = ctypes.CDLL(None)


def start_child(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    without: Collection[str] = (),
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
    orphan_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, its output appended to the file `log`.

    It gets our environment, less what is secret there and the names in `without`, and on top of
    that `env`.

    `orphan_signal` is what the kernel sends to the child, and to none of the child's own
    children, when we die. A server that ends its children on SIGTERM should be given that.

    Call it from a thread that lives as long as the child: the kernel's "parent died"
    means the thread that forked.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    inherited = {
        name: value for name, value in without_secrets(os.environ).items() if name not in without
    }
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**inherited, **(env or {})},
            cwd=cwd,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
            preexec_fn=end_with_parent(orphan_signal),  # noqa: PLW1509 - see there
        )


def end_with_parent(orphan_signal: signal.Signals) -> Callable[[], object] | None:
    """For `preexec_fn` of a Popen: the kernel sends that signal to the child when we die.

    One system call, no lock: safe between fork and exec even with threads. None where the
    kernel has no such thing.
    """
    if sys.platform != "linux":
        return None
    return partial(_LIBC.prctl, _PR_SET_PDEATHSIG, orphan_signal.value)


def stop_tree(child: subprocess.Popen[bytes], *, grace_s: float = _GRACE_S) -> None:
    """End `child` and everything below it: SIGTERM, then SIGKILL. Safe to call twice."""
    others = _descendants_and_orphans(child)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is None:
            child.send_signal(number)
        for process in others:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=grace_s)
        # A runner that its dying parent started meanwhile is found here.
        others = _descendants_and_orphans(child)
        _, others = psutil.wait_procs(others, timeout=grace_s if others else 0)
        if child.returncode is not None and not others:
            return


def _descendants_and_orphans(child: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """What is below `child`, and what is left of its session when parents are gone."""
    if child.returncode is not None and psutil.pid_exists(child.pid):
        # The kernel has given the number away again, so nothing of the session is left:
        # the number of a session in use is never given away.
        return []
    found: dict[int, psutil.Process] = {}
    with contextlib.suppress(psutil.NoSuchProcess):
        found = {p.pid: p for p in psutil.Process(child.pid).children(recursive=True)}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == child.pid and process.pid != child.pid:
                found.setdefault(process.pid, process)
    return list(found.values())


def describe_exit(code: int) -> str:
    """`exit code 3`, or `signal SIGILL` for a process that was killed."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def likely_cause(code: int) -> str:
    """What a signal that ended a process usually means, as a sentence for a hint; or nothing."""
    causes = {
        -signal.SIGILL: "It was compiled for instructions that this CPU does not run. ",
        -signal.SIGKILL: "Often that is the kernel, out of memory. ",
    }
    return causes.get(code, "")


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def tail(log: Path, lines: int = 8) -> str:
    """The last lines of a log, for an error message; empty if there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
