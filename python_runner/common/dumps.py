"""A crash must not write our memory to a disk: prompts and keys are in it."""

from __future__ import annotations

import ctypes
import os
import resource
import sys

CORE_VARIABLE = "POLYSTACK_CORE_DUMPS"
"""Set to `allow` by whoever wants to look into a crash; keys are kept out of dumps even then."""
_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """No core file of this process, nor of any that it starts, unless the user allows them."""
    if os.environ.get(CORE_VARIABLE) != "allow":
        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, most))


def hide_memory() -> None:
    """From now on this process holds a key: no dump of it, and no other may read its memory.

    The kernel (Linux) then also closes `/proc/PID/environ` and debuggers to all but root.
    Children are not concerned: they begin anew, and have no key.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
