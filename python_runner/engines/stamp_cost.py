"""What a token's stamp costs where Python takes it."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from python_runner.common.clock import now_ns

_ROUNDS = 9
_TOKENS = 500


def median_cost_ns(stamp: Callable[[], object]) -> float:
    """Nanoseconds of one call of `stamp`: the median of some rounds of many calls."""
    costs = []
    for _ in range(_ROUNDS):
        begin_ns = now_ns()
        for _ in range(_TOKENS):
            stamp()
        costs.append((now_ns() - begin_ns) / _TOKENS)
    return median(costs)
