"""When an engine is said to have run out of memory."""

import signal
from pathlib import Path

import pytest

from python_runner.common.memory_end import (
    OUT_OF_MEMORY,
    PROBABLY,
    kernel_kills,
    memory_end,
    with_memory_named,
)
from python_runner.common.processes import likely_cause

KILLED = -signal.SIGKILL.value


@pytest.mark.parametrize(
    ("code", "log", "kills", "found"),
    [
        (KILLED, "", 1, OUT_OF_MEMORY),
        (KILLED, "", None, PROBABLY),
        (KILLED, "", 0, ""),  # killed, and not by the kernel
        (-signal.SIGABRT.value, "terminate called after 'std::bad_alloc'", 0, OUT_OF_MEMORY),
        (1, "Traceback\nMemoryError", None, OUT_OF_MEMORY),
        (134, "memory allocation of 8589934592 bytes failed", 0, OUT_OF_MEMORY),
        (2, "fatal error: runtime: out of memory", 0, OUT_OF_MEMORY),
        (1, "ggml: failed to allocate buffer of size 99", 0, OUT_OF_MEMORY),
        (1, "torch.OutOfMemoryError: CUDA out of memory.", 0, OUT_OF_MEMORY),
        (-signal.SIGILL.value, "", 0, ""),
        (1, "no such file", 3, ""),
    ],
)
def test_how_it_ended(code: int, log: str, kills: int | None, found: str) -> None:
    assert memory_end(code, log, kills=kills) == found


def test_a_reason_that_speaks_of_memory_begins_with_it() -> None:
    assert with_memory_named("50 users: RuntimeError: can't allocate memory") == (
        "out of memory: 50 users: RuntimeError: can't allocate memory"
    )
    assert with_memory_named("llama runner has terminated: signal: killed").startswith(PROBABLY)
    once = with_memory_named("std::bad_alloc")
    assert with_memory_named(once) == once


def test_a_hint_alone_is_no_sign() -> None:
    killed = f"it ended by itself (signal SIGKILL) ({likely_cause(KILLED)}The whole log: x)"
    assert with_memory_named(killed) == killed
    assert with_memory_named("") == ""


def test_the_kernels_count(tmp_path: Path) -> None:
    counters = tmp_path / "vmstat"
    counters.write_text("pgfault 3\noom_kill 7\nnuma 0\n")
    assert kernel_kills(counters) == 7
    counters.write_text("pgfault 3\n")
    assert kernel_kills(counters) is None
    assert kernel_kills(tmp_path / "none") is None
