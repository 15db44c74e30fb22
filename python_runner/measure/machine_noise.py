"""The machine's own noise: a little work that is always the same, timed before each request.

Whatever it shows between two stacks is the machine's and not theirs; `analyse.compare` makes
the noise floor from it. Beside the best of some rounds, which says how fast the machine is when
it is let alone, stands how long all rounds took and how much of that the probe was kept from a
processor: that says whether something else was at work.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from python_runner.common.clock import now_ns

_NUMBERS = 4096
"""32 KiB: stays in the first cache of a core."""
_PASSES = 500
_BLOCK_BYTES = 16 * 2**20
"""More than the caches that belong to one core."""
_ROUNDS = 5


@dataclass(frozen=True, kw_only=True)
class NoiseReading:
    """What the probe took: the best of some rounds, in nanoseconds."""

    compute_ns: int
    memory_ns: int
    elapsed_ns: int | None = None
    """All rounds together; None: not looked at."""
    waited_ns: int | None = None
    """Of that, what the probe did not compute: others had the processor, or a limit held it."""


class NoiseProbe(Protocol):
    """Looks at the machine while no request is under way."""

    def read(self) -> NoiseReading:
        """Do the work now; some milliseconds."""


class MachineProbe:
    """Implements `NoiseProbe` with numpy, on one core.

    Arithmetic: products and sums of numbers that lie in the first cache. Memory: a copy of 16 MiB.
    The best of five rounds of one or two milliseconds each, so that an interruption is not taken
    for the machine.
    """

    def __init__(self) -> None:
        self._numbers = np.linspace(0.5, 1.5, _NUMBERS)
        self._result = np.empty_like(self._numbers)
        self._source = np.ones(_BLOCK_BYTES, dtype=np.uint8)
        self._target = np.zeros(_BLOCK_BYTES, dtype=np.uint8)

    def read(self) -> NoiseReading:
        began_ns, computed_ns = now_ns(), time.thread_time_ns()
        compute_ns = min(self._compute_ns() for _ in range(_ROUNDS))
        memory_ns = min(self._memory_ns() for _ in range(_ROUNDS))
        computed_ns = time.thread_time_ns() - computed_ns
        elapsed_ns = now_ns() - began_ns
        return NoiseReading(
            compute_ns=compute_ns,
            memory_ns=memory_ns,
            elapsed_ns=elapsed_ns,
            waited_ns=max(0, elapsed_ns - computed_ns),
        )

    def _compute_ns(self) -> int:
        started = now_ns()
        for _ in range(_PASSES):
            np.multiply(self._numbers, self._numbers, out=self._result)
            np.add(self._result, self._numbers, out=self._result)
        return now_ns() - started

    def _memory_ns(self) -> int:
        started = now_ns()
        np.copyto(self._target, self._source)
        return now_ns() - started
