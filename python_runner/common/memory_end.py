"""Whether an engine ran out of memory: by the words it left, or by the kernel's own count.

The kernel kills with SIGKILL, as a person may. So it is asked how often it has killed for want of
memory: if the number has grown since the engine was started, that was the reason.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path

OUT_OF_MEMORY = "out of memory"
PROBABLY = f"probably {OUT_OF_MEMORY}"
"""What reasons begin with, where memory was one."""

_COUNTERS = Path("/proc/vmstat")
_KILLS = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)
# C++; Python, PyTorch; C's errno; ggml; Rust; CUDA.
_WORDS = re.compile(
    r"std::bad_alloc|\bMemoryError\b|out of memory|OutOfMemoryError|cannot allocate memory|"
    r"can't allocate memory|(?:failed|unable) to allocate|memory allocation of \d+ bytes failed",
    re.IGNORECASE,
)
_KILLED = re.compile(r"signal: killed|exit code 137\b", re.IGNORECASE)
_HINT = "Often that is the kernel"
"""Begins what `processes.likely_cause` says of any SIGKILL."""


def kernel_kills(counters: Path = _COUNTERS) -> int | None:
    """How many processes the kernel has ended for want of memory; None if it does not say."""
    try:
        found = _KILLS.search(counters.read_text(encoding="ascii"))
    except OSError:
        return None
    return int(found[1]) if found else None


def kills_since(before: int | None) -> int | None:
    """By how many that number has grown; None if it is not known."""
    now = kernel_kills()
    return None if before is None or now is None else now - before


def memory_end(code: int, log: str, *, kills: int | None) -> str:
    """`out of memory`, `probably out of memory`, or empty for another end.

    Args:
        code: how the process ended, negative for a signal, as `subprocess` has it.
        log: the end of what it wrote.
        kills: by how many the kernel's count has grown since it was started; None: not known.
    """
    if code == -signal.SIGKILL and kills:
        return OUT_OF_MEMORY
    if _WORDS.search(log):
        return OUT_OF_MEMORY
    return PROBABLY if code == -signal.SIGKILL and kills is None else ""


def with_memory_named(reason: str) -> str:
    """`reason` with its main word in front, if it speaks of memory that was not there.

    A server may go on when what computes for it was killed; then its words are all there is.
    """
    if reason.startswith((OUT_OF_MEMORY, PROBABLY)):
        return reason
    if _WORDS.search(reason.partition(_HINT)[0]):
        return f"{OUT_OF_MEMORY}: {reason}"
    return f"{PROBABLY}: {reason}" if _KILLED.search(reason) else reason
