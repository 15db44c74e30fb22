"""The estimates of a pair of stacks from log values, block by block.

A block is one visit to every stack: each is loaded, timed a few times, and stopped. Values
of one block and stack share a load and a moment of the machine, so they are alike, and ten
iterations are worth fewer than ten. What is worth a full one is the difference between two
stacks *within a block*: what the machine does slowly harms both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LIKENESS = 0.7
"""How alike two iterations of one load are, as a prior (the `rho` of Kish's design effect).
The noise fitted to stored runs implies 0.25 for stacks that are neighbours in a block and 0.8 for
those at its ends. Of 0.4, 0.7 and 1 this one held the false alarms of two blocks; see
docs/decisions/0010."""
PRIOR_WEIGHT = 4.0
"""Degrees of freedom that the prior counts for beside what the run itself shows."""
POOLED_WEIGHT = 4.0
"""Degrees of freedom of the spread within blocks, beside the spread between blocks: as much
as five blocks have of their own."""
TINY_VARIANCE = 1e-24
"""Of log values: differences below 1e-12 are rounding, not time."""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Log values of two stacks, sorted into the blocks that they share.

    Attributes:
        values: shape (runs, blocks, slots); in each block the left stack's values first, then
            the right one's, then zeros that fill up.
        n_left: values of the left stack in each block, shape (blocks,), all at least 1.
        n_right: the same for the right stack.
    """

    values: Floats
    n_left: npt.NDArray[np.int64]
    n_right: npt.NDArray[np.int64]

    @property
    def blocks(self) -> int:
        return len(self.n_left)

    @property
    def per_block(self) -> float:
        """Iterations of a stack in a block, on average (harmonic, as variances add)."""
        return float(2 / np.mean(1 / self.n_left + 1 / self.n_right))

    @property
    def within_freedom(self) -> int:
        """Degrees of freedom of the spread within blocks and stacks."""
        return int((self.n_left + self.n_right).sum()) - 2 * self.blocks

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """Which slots hold a value, shape (blocks, slots)."""
        slots = np.arange(self.values.shape[-1])
        return np.asarray(slots < (self.n_left + self.n_right)[:, None])

    @property
    def contrast(self) -> Floats:
        """Weights whose sum over a block's slots is mean(left) - mean(right)."""
        slots = np.arange(self.values.shape[-1])
        is_left = slots < self.n_left[:, None]
        weights = np.where(is_left, 1 / self.n_left[:, None], -1 / self.n_right[:, None])
        return np.asarray(np.where(self.used, weights, 0.0))


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What the blocks say about log(left / right). Arrays of one shape, or broadcastable."""

    effect: Floats
    """Mean over the blocks of mean(log left) - mean(log right)."""
    between: Floats
    """Variance of a block's difference, as the blocks differ; zero for one block."""
    within: Floats
    """The same variance as it would be if iterations were independent."""


def estimate(cells: Cells, contrast: Floats | None = None) -> Estimate:
    """The estimates of each run; of each relabelling too, if `contrast` has them.

    Args:
        cells: values of `runs` runs.
        contrast: None for the labels as they are, giving shape (runs,); or relabelled
            contrasts of shape (relabellings, blocks, slots), giving (runs, relabellings).
    """
    weights = cells.contrast[None] if contrast is None else contrast
    n_total = cells.n_left + cells.n_right
    means = cells.values.sum(axis=-1) / n_total
    centred = np.where(cells.used, cells.values - means[..., None], 0.0)
    # (runs, blocks, slots) x (relabellings, blocks, slots) -> (blocks, runs, relabellings)
    differences = np.moveaxis(centred, 1, 0) @ np.transpose(weights, (1, 2, 0))
    effect = differences.mean(axis=0)
    between = differences.var(axis=0, ddof=1) if cells.blocks > 1 else np.zeros_like(effect)
    spread = 1 / cells.n_left + 1 / cells.n_right
    explained = np.einsum("brp,b->rp", differences**2, 1 / spread)
    total = (centred**2).sum(axis=(1, 2))[:, None]
    pooled = np.maximum(total - explained, 0.0) / max(1, cells.within_freedom)
    within = pooled * spread.mean()
    found = Estimate(effect=effect, between=between, within=within)
    return found if contrast is not None else _first(found)


def _first(found: Estimate) -> Estimate:
    return Estimate(
        effect=found.effect[:, 0], between=found.between[:, 0], within=found.within[:, 0]
    )


def design_effect(
    between: Floats, within: Floats, *, freedom: float, per_block: float
) -> npt.NDArray[np.float64]:
    """How much wider the differences of blocks scatter than independent iterations would.

    The ratio of the two variances, added up over all pairs of the run and drawn towards
    1 + (per_block - 1) * LIKENESS, Kish's design effect (Survey Sampling, 1965), because
    two blocks alone know little about how blocks differ. Never below 1.

    Args:
        between: of each pair and run, shape (pairs, runs).
        within: the same shape.
        freedom: degrees of freedom of `between` as a whole: (stacks - 1) * (blocks - 1).
        per_block: iterations of a stack in a block.

    Returns:
        Shape (runs,).
    """
    if per_block <= 1:  # nothing lies within a block but rounding
        return np.ones(between.shape[1:])
    prior = 1 + (per_block - 1) * LIKENESS
    seen = between.sum(axis=0) / np.maximum(within.sum(axis=0), TINY_VARIANCE)
    seen = np.where(within.sum(axis=0) > TINY_VARIANCE, seen, prior)
    return np.maximum(1.0, (freedom * seen + PRIOR_WEIGHT * prior) / (freedom + PRIOR_WEIGHT))
