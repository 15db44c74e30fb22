"""The rule, applied to simulated runs with the very functions that real ones go through."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from python_runner.analyse.compare.blocks import Floats
from python_runner.analyse.compare.family import holm
from python_runner.analyse.compare.noise import ASSUMED, ASSUMED_APART, probe_floor
from python_runner.analyse.compare.permutation import compare_family
from python_runner.analyse.compare.verdict import ALPHA, Verdict, decide
from python_runner.analyse.summary import CONFIDENCE
from python_runner.run.bench_statistics.simulate import pair_cells

RESAMPLES = 999
"""A tenth of what real runs get: p-values down to 0.001, which Holm times six still is 0.006."""

_MEDIAN_RESAMPLES = 399
_SEED = 8


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Of each run and pair, shape (runs, pairs)."""

    pairs: list[tuple[int, int]]
    effect: Floats
    half_width: Floats
    p: Floats
    p_holm: Floats

    def claims(self, floor: Floats, n: int, alpha: float = ALPHA) -> npt.NDArray[np.bool_]:
        """Where the full rule says faster or slower; `floor` has shape (runs,) or (1,)."""
        said = [Verdict.FASTER.value, Verdict.SLOWER.value]
        return np.isin(self._verdicts(floor, n, alpha), said)

    def equalities(self, floor: Floats, n: int) -> npt.NDArray[np.bool_]:
        """Where it says no difference."""
        return np.asarray(self._verdicts(floor, n, ALPHA) == Verdict.NO_DIFFERENCE.value)

    def _verdicts(self, floor: Floats, n: int, alpha: float) -> npt.NDArray[np.str_]:
        verdicts, _ = decide(
            effect=self.effect,
            half_width=self.half_width,
            p_holm=self.p_holm,
            floor=floor[:, None],
            n_fewest=n,
            alpha=alpha,
        )
        return verdicts


def judge(values: Floats, *, alpha: float = ALPHA, resamples: int = RESAMPLES) -> Judged:
    """All pairs of each run.

    Args:
        values: log times, shape (runs, stacks, blocks, per_block).
        alpha: of the intervals.
        resamples: shufflings of each test.
    """
    stacks = values.shape[1]
    pairs = list(combinations(range(stacks), 2))
    found = compare_family(
        {pair: pair_cells(values, *pair) for pair in pairs}, alpha=alpha, resamples=resamples
    )
    tests = [found[pair] for pair in pairs]
    p = np.stack([test.p for test in tests], axis=-1)
    return Judged(
        pairs=pairs,
        effect=np.stack([test.effect for test in tests], axis=-1),
        half_width=np.stack([test.half_width for test in tests], axis=-1),
        p=p,
        p_holm=holm(p),
    )


def median_covers(values: Floats) -> npt.NDArray[np.bool_]:
    """Whether the bootstrap interval of each stack's own median holds its level, which is 0.

    As `summary.median_interval` makes it, with fewer resamples, drawn once for all runs.

    Args:
        values: log times, shape (runs, stacks, blocks, per_block).
    """
    flat = values.reshape(*values.shape[:2], -1)
    count = flat.shape[2]
    drawn = np.random.default_rng(_SEED).integers(0, count, size=(_MEDIAN_RESAMPLES, count))
    medians = np.median(flat[:, :, drawn], axis=-1)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(medians, [tail, 1 - tail], axis=-1)
    return np.asarray((low <= 0) & (high >= 0))


def floor_from(probes: tuple[Floats, ...]) -> Floats:
    """The noise floor of each run, shape (runs,)."""
    stacks = probes[0].shape[1]
    return probe_floor(
        [pair_cells(probe, *pair) for probe in probes for pair in combinations(range(stacks), 2)]
    )


def floor_without_probe(blocks: int) -> Floats:
    """What is assumed instead, shape (1,)."""
    return np.array([ASSUMED if blocks > 1 else ASSUMED_APART])
