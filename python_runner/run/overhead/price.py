"""One line of the table: a figure of ours, the same without us, and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from python_runner.common.clock import NS_PER_S
from python_runner.engines.contract import Generation

_RATIO_BOUND = 0.97


@dataclass(frozen=True, kw_only=True)
class Price:
    """What one part of the workbench costs."""

    what: str
    against: str
    """What it is held against: a bare program, or a bound."""
    ours: float
    bare: float
    unit: str
    score: float
    """Ours as a part of the bare figure; for a cost with a bound, the cost itself."""
    bound: str
    """What is asked for, in words."""
    is_met: bool


def price_of_rate(what: str, against: str, ours: Sequence[float], bare: Sequence[float]) -> Price:
    """Compare two rates, in tokens per second, taken in turns: the median ratio of the pairs."""
    ratio = median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
    return Price(
        what=what,
        against=against,
        ours=median(ours),
        bare=median(bare),
        unit="tokens/s",
        score=ratio,
        bound=f"at least {_RATIO_BOUND}",
        is_met=ratio >= _RATIO_BOUND,
    )


def price_with_bound(what: str, *, cost: float, most: float, unit: str) -> Price:
    """A cost that has nothing bare beside it, and the most that it may be."""
    return Price(
        what=what,
        against="a bound",
        ours=cost,
        bare=most,
        unit=unit,
        score=cost,
        bound=f"less than {most:g} {unit}",
        is_met=cost < most,
    )


def decode_rate(generation: Generation) -> float:
    """Tokens per second after the first token, by our stamps."""
    span_ns = generation.chunk_ns[-1] - generation.chunk_ns[0]
    return (generation.output_tokens - 1) * NS_PER_S / span_ns
