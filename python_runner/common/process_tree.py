"""What is below a child process, and how all of it is ended.

A child is found by three signs: it descends from ours, it is of our child's session, or it has
our child's mark in its environment. The last finds what has forked twice and begun a session of
its own, as daemons do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable

import psutil

MARK = "POLYSTACK_CHILD"
"""Variable that a child and all below it have in their environment: a mark of its own, after
those of the children that it is below."""
_KILL_S = 5.0
"""For what SIGKILL does not end at once, such as a process that waits for a disk."""
_KILL_ROUND_S = 1.0
_POLL_S = 0.01


def end_tree(child: subprocess.Popen[bytes], mark: str, *, grace_s: float) -> None:
    """SIGTERM, then SIGKILL, to `child` and all that is its.

    A Ctrl-C meanwhile ends the patience: all is killed at once, and then it is raised.
    """
    try:
        if _signal(child, mark, signal.SIGTERM, grace_s):
            return
    except BaseException:
        _kill(child, mark)
        raise
    _kill(child, mark)


def _kill(child: subprocess.Popen[bytes], mark: str) -> None:
    """SIGKILL until nothing is left, however often Ctrl-C comes meanwhile."""
    interrupt: KeyboardInterrupt | None = None
    deadline = time.monotonic() + _KILL_S
    while True:
        try:
            if _signal(child, mark, signal.SIGKILL, _KILL_ROUND_S) or time.monotonic() > deadline:
                break
        except KeyboardInterrupt as again:
            interrupt = again
    if interrupt is not None:
        raise interrupt


def _signal(
    child: subprocess.Popen[bytes], mark: str, number: signal.Signals, grace_s: float
) -> bool:
    """Send it to all, wait so long for their end; whether nothing is left."""
    others = below(child, mark)
    if child.poll() is None:
        child.send_signal(number)
    for process in others:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=grace_s)
    # A runner that its dying parent started meanwhile is found here.
    others = below(child, mark)
    if others and not _gone(others, grace_s):
        return False
    return child.returncode is not None


def _gone(processes: Iterable[psutil.Process], timeout_s: float) -> bool:
    """Wait for their end, which those whom nobody buries have reached, too."""
    deadline = time.monotonic() + timeout_s
    left = [process for process in processes if _lives(process)]
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        left = [process for process in left if _lives(process)]
    return not left


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def below(child: subprocess.Popen[bytes], mark: str) -> list[psutil.Process]:
    """All that lives and is the child's, without the child."""
    found: dict[int, psutil.Process] = {}
    # Once the kernel has given the number away again, nothing of the session is left: the number
    # of a session in use is never given away.
    is_other = child.returncode is not None and psutil.pid_exists(child.pid)
    if not is_other:
        with contextlib.suppress(psutil.NoSuchProcess):
            found = {p.pid: p for p in psutil.Process(child.pid).children(recursive=True)}
    for process in psutil.process_iter():
        if process.pid == child.pid and not is_other:
            continue
        of_session = not is_other and _session(process.pid) == child.pid
        if of_session or _has(process, mark):
            found.setdefault(process.pid, process)
    return [process for process in found.values() if _lives(process)]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _has(process: psutil.Process, mark: str) -> bool:
    """Whether it began with that mark in its environment."""
    if not mark:
        return False
    try:
        return mark in process.environ().get(MARK, "").split()
    except (psutil.Error, OSError):
        return False
