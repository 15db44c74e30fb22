"""The permutation test of a pair of stacks, and the interval of their ratio.

Labels are shuffled within blocks (a stratified test), so a block that was slow for all
favours nobody. What is compared is not the difference but the difference over its standard
error (a studentised test: Janssen 1997; Chung and Romano, Annals of Statistics 41, 2013), and
that error is taken from how *blocks* differ, not iterations. Plain shuffling would believe
ten independent iterations where a drifting machine and one load have made them alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from python_runner.analyse.compare.blocks import (
    POOLED_WEIGHT,
    TINY_VARIANCE,
    Cells,
    Estimate,
    Floats,
    design_effect,
    estimate,
)
from python_runner.analyse.compare.family import Pair, independent_pairs

RESAMPLES = 9_999
_SEED = 20240
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """Of each run, shape (runs,)."""

    __test__ = False  # for pytest: not a test

    effect: Floats
    """log(left / right)."""
    p: Floats
    """Two-sided; NaN where no test is possible."""
    half_width: Floats
    """The interval of the effect is effect -+ half_width; it leaves out 0 just if p <= alpha."""
    deff: Floats
    """The design effect: how many iterations were worth one independent one."""


def compare_family(
    family: Mapping[Pair, Cells], *, alpha: float = 0.05, resamples: int = RESAMPLES
) -> dict[Pair, TestResult]:
    """Test each pair of a family; they share one design effect. Seeded: always the same.

    Args:
        family: the cells of each pair, all of the same runs.
        alpha: the intervals cover with 1 - alpha.
        resamples: shufflings of each test.
    """
    deff = _design_effect(family)
    return {
        pair: permutation_test(
            cells,
            relabellings(cells, resamples, np.random.default_rng(_SEED)),
            deff,
            alpha=alpha,
        )
        for pair, cells in family.items()
    }


def _design_effect(family: Mapping[Pair, Cells]) -> Floats:
    """Shared by the family; pairs with a single block cannot tell anything about it."""
    telling = {pair: cells for pair, cells in family.items() if cells.blocks > 1} or dict(family)
    found = [estimate(cells) for cells in telling.values()]
    blocks = float(np.mean([cells.blocks for cells in telling.values()]))
    return design_effect(
        np.stack([one.between for one in found]),
        np.stack([one.within for one in found]),
        freedom=independent_pairs(telling) * (blocks - 1),
        per_block=float(np.mean([cells.per_block for cells in telling.values()])),
    )


def relabellings(cells: Cells, resamples: int, rng: np.random.Generator) -> Floats:
    """Contrasts of shape (resamples, blocks, slots): the labels of each block shuffled."""
    contrasts = np.zeros((resamples, *cells.contrast.shape))
    for block, weights in enumerate(cells.contrast):
        used = int(cells.n_left[block] + cells.n_right[block])
        rows = np.broadcast_to(weights[:used], (resamples, used))
        contrasts[:, block, :used] = rng.permuted(rows, axis=1)
    return contrasts


def permutation_test(
    cells: Cells, contrasts: Floats, deff: Floats, *, alpha: float = 0.05
) -> TestResult:
    """Test log(left / right) = 0 and give its interval.

    The variance of a block's difference is a weighted mean of two: as the blocks differ
    (blocks - 1 degrees of freedom), and as iterations within blocks differ times the design
    effect (at most `POOLED_WEIGHT`). The relabelled values are exchangeable, so there the
    design effect is 1. The effect is taken out before shuffling, so that a large one does not
    pass for noise; this makes test and interval two sides of one thing (the interval holds the
    ratios that the test does not reject). p counts the labels as they are among the shuffled
    (Phipson and Smyth 2010), so it is never 0.

    Args:
        cells: values of the pair in `runs` runs.
        contrasts: from `relabellings`.
        deff: `design_effect` of each run, shape (runs,).
        alpha: the interval covers with 1 - alpha.
    """
    found = estimate(cells)
    error = _standard_error(found, cells, deff)
    if error is None:
        nothing = np.full(found.effect.shape, np.nan)
        return TestResult(effect=found.effect, p=nothing, half_width=nothing, deff=deff)
    shift = cells.contrast > 0
    aligned = replace(
        cells, values=np.where(shift, cells.values - found.effect[:, None, None], cells.values)
    )
    shuffled = estimate(aligned, contrasts)
    error_shuffled = _standard_error(shuffled, cells, np.ones((1, 1)))
    assert error_shuffled is not None
    reference = np.abs(shuffled.effect) / error_shuffled
    statistic = np.abs(found.effect) / error
    at_least = reference >= statistic[:, None] * (1 - _ROUNDING)
    count = reference.shape[1]
    kept = int(alpha * (count + 1) * (1 + _ROUNDING))
    if kept >= 1:
        place = count - kept
        critical = np.partition(reference, place, axis=1)[:, place]
    else:
        critical = np.full(found.effect.shape, np.inf)
    return TestResult(
        effect=found.effect,
        p=(1 + at_least.sum(axis=1)) / (count + 1),
        half_width=critical * error,
        deff=deff,
    )


def _standard_error(found: Estimate, cells: Cells, deff: Floats) -> Floats | None:
    own = cells.blocks - 1
    pooled = min(POOLED_WEIGHT, cells.within_freedom)
    if own + pooled < 1:
        return None
    variance = (own * found.between + pooled * deff * found.within) / (own + pooled)
    return np.sqrt(np.maximum(variance, TINY_VARIANCE) / cells.blocks)
