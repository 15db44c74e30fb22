"""Child processes that cannot outlive us.

Every child gets a session of its own, so that the whole tree can be ended at once, and
asks the kernel to be killed when its parent dies (Linux), so that even `kill -9` on the
workbench leaves nothing behind.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from python_runner.common.logs import keep_small, tail
from python_runner.common.ports import free_port
from python_runner.common.process_tree import MARK, end_tree

__all__ = [
    "Child",
    "describe_exit",
    "end_with_parent",
    "free_port",
    "likely_cause",
    "mark_of",
    "start_child",
    "stop_tree",
    "tail",
]

from python_runner.common.secrets import without_secrets

_PR_SET_PDEATHSIG = 1
_GRACE_S = 5.0
# Opened before any fork: between fork and exec nothing may take a lock.
_LIBC = ctypes.CDLL(None)


class Child(subprocess.Popen[bytes]):
    """A child with a mark by which all below it can be found, wherever it has gone."""

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], **how: Any) -> None:
        """As `Popen`; the mark is added to `env`."""
        self.mark = uuid.uuid4().hex
        marks = f"{env.get(MARK, '')} {self.mark}".strip()
        super().__init__(command, env={**env, MARK: marks}, **how)


def start_child(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    without: Collection[str] = (),
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
    orphan_signal: signal.Signals = signal.SIGKILL,
) -> Child:
    """Start `command` in a session of its own, its output appended to the file `log`.

    The log is kept small enough for the disk (`common.logs`).

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
        child = Child(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**inherited, **(env or {})},
            cwd=cwd,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
            preexec_fn=end_with_parent(orphan_signal),
        )
    try:
        keep_small(child, log)
    except BaseException:  # no thread more, or Ctrl-C: nobody would know of the child
        stop_tree(child)
        raise
    return child


def end_with_parent(orphan_signal: signal.Signals) -> Callable[[], object] | None:
    """For `preexec_fn` of a Popen: the kernel sends that signal to the child when we die.

    One system call, no lock: safe between fork and exec even with threads. None where the
    kernel has no such thing.
    """
    if sys.platform != "linux":
        return None
    return partial(_LIBC.prctl, _PR_SET_PDEATHSIG, orphan_signal.value)


def stop_tree(child: subprocess.Popen[bytes], *, grace_s: float = _GRACE_S) -> None:
    """End `child` and everything below it: SIGTERM, then SIGKILL. Safe to call twice.

    Ctrl-C meanwhile is raised when nothing is left.
    """
    end_tree(child, mark_of(child), grace_s=grace_s)


def mark_of(child: subprocess.Popen[bytes]) -> str:
    """Its mark; empty for one that `start_child` did not start."""
    return child.mark if isinstance(child, Child) else ""


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
