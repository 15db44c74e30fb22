"""Other ways to test a pair, on the same simulated runs: why the one in use was chosen.

Each takes log times of one pair, shape (runs, 2, blocks, per_block), and a level, and says of
each run whether it calls the two stacks different (for intervals: whether it leaves out 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from python_runner.analyse.compare.blocks import Floats, estimate
from python_runner.analyse.compare.permutation import relabellings
from python_runner.common.progress import Progress
from python_runner.run.bench_statistics.judge import judge
from python_runner.run.bench_statistics.machine import AS_SEEN
from python_runner.run.bench_statistics.simulate import Layout, pair_cells, simulate

Marks = npt.NDArray[np.bool_]
Method = Callable[[Floats, float], Marks]

_ALPHA = 0.05
_SMALLEST = _ALPHA / 6
"""What Holm asks of the first of six pairs."""
_SLOWER = 0.10
_RESAMPLES = 999
_SEED = 7


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """One way to test, on one layout."""

    method: str
    layout: str
    false_alarms: float
    """At 5 %, one pair."""
    power: float
    """Of a 10 % difference, at the level that Holm asks of the first of six."""


def alternatives(
    layouts: tuple[Layout, ...], *, runs: int, progress: Progress
) -> Iterator[Alternative]:
    """Try each method on each layout, on the machine as seen in stored runs."""
    with progress.task("Other ways to test", why="on the same simulated runs") as task:
        for number, layout in enumerate(layouts):
            rng = np.random.default_rng(_SEED)
            same = simulate(layout, AS_SEEN, runs, rng).values
            slow = simulate(layout, AS_SEEN, runs, rng, slower=_SLOWER).values
            yield _in_use(layout, same, slow)
            for place, (name, method) in enumerate(METHODS.items()):
                task.update((number + place / len(METHODS)) / len(layouts), name)
                yield Alternative(
                    method=name,
                    layout=layout.name,
                    false_alarms=_share(method, same, _ALPHA),
                    power=_share(method, slow, _SMALLEST),
                )


def _share(method: Method, values: Floats, alpha: float) -> float:
    """Over the first stack's pairs: some are neighbours within a block, some far apart."""
    others = range(1, values.shape[1])
    return float(np.mean([method(values[:, [0, other]], alpha) for other in others]))


def _in_use(layout: Layout, same: Floats, slow: Floats) -> Alternative:
    judged, found = judge(same), judge(slow)
    mine = [index for index, pair in enumerate(judged.pairs) if 0 in pair]
    return Alternative(
        method="in use",
        layout=layout.name,
        false_alarms=float((judged.p[:, mine] <= _ALPHA).mean()),
        power=float((found.p[:, mine] <= _SMALLEST).mean()),
    )


def _shuffled(values: Floats, alpha: float, *, strata: bool) -> Marks:
    runs, _, blocks, per_block = values.shape
    if not strata:
        values = values.reshape(runs, 2, 1, blocks * per_block)
    cells = pair_cells(values, 0, 1)
    contrasts = relabellings(cells, _RESAMPLES, np.random.default_rng(_SEED))
    reference = np.abs(estimate(cells, contrasts).effect)
    found = np.abs(estimate(cells).effect)[:, None]
    return np.asarray((1 + (reference >= found).sum(axis=1)) / (_RESAMPLES + 1) <= alpha)


def _welch(values: Floats, alpha: float) -> Marks:
    flat = values.reshape(*values.shape[:2], -1)
    p = stats.ttest_ind(flat[:, 0], flat[:, 1], axis=1, equal_var=False).pvalue
    return np.asarray(p <= alpha)


def _block_t(values: Floats, alpha: float) -> Marks:
    differences = _block_differences(values)
    if differences.shape[1] < 2:
        return np.zeros(len(values), dtype=bool)
    return np.asarray(stats.ttest_1samp(differences, 0.0, axis=1).pvalue <= alpha)


def _signed_ranks(values: Floats, alpha: float) -> Marks:
    pairs = (values[:, 0] - values[:, 1]).reshape(len(values), -1)
    return np.asarray(stats.wilcoxon(pairs, axis=1).pvalue <= alpha)


def _bootstrap(
    values: Floats, alpha: float, *, method: Literal["percentile", "BCa"], blocks: bool
) -> Marks:
    if blocks:
        data = _block_differences(values)
        if data.shape[1] < 2:
            return np.zeros(len(values), dtype=bool)
    else:
        data = (values[:, 0] - values[:, 1]).reshape(len(values), -1)
    interval = stats.bootstrap(
        (data,),
        np.mean,
        axis=1,
        confidence_level=1 - alpha,
        n_resamples=_RESAMPLES,
        batch=100,
        method=method,
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return np.asarray((interval.low > 0) | (interval.high < 0))


def _median_bootstrap(values: Floats, alpha: float) -> Marks:
    """The ratio of the two medians, iterations drawn from each stack without regard to blocks."""
    rng = np.random.default_rng(_SEED)
    flat = values.reshape(*values.shape[:2], -1)
    drawn = rng.integers(0, flat.shape[2], size=(2, _RESAMPLES, flat.shape[2]))
    medians = [np.median(flat[:, side][:, drawn[side]], axis=2) for side in (0, 1)]
    low, high = np.quantile(medians[0] - medians[1], [alpha / 2, 1 - alpha / 2], axis=1)
    return np.asarray((low > 0) | (high < 0))


def _studentised_bootstrap(values: Floats, alpha: float) -> Marks:
    """Bootstrap-t of the blocks' differences."""
    data = _block_differences(values)
    blocks = data.shape[1]
    if blocks < 3:
        return np.zeros(len(values), dtype=bool)
    drawn = np.random.default_rng(_SEED).integers(0, blocks, size=(_RESAMPLES, blocks))
    drawn = drawn[(drawn != drawn[:, :1]).any(axis=1)]
    resampled = data[:, drawn]
    mean = data.mean(axis=1, keepdims=True)
    reference = np.abs(resampled.mean(axis=2) - mean) / resampled.std(axis=2, ddof=1)
    statistic = np.abs(mean[:, 0]) / data.std(axis=1, ddof=1)
    return np.asarray(statistic > np.quantile(reference, 1 - alpha, axis=1))


def _block_differences(values: Floats) -> Floats:
    means = values.mean(axis=3)
    return np.asarray(means[:, 0] - means[:, 1])


METHODS: dict[str, Method] = {
    "shuffling all iterations": lambda values, alpha: _shuffled(values, alpha, strata=False),
    "shuffling within blocks": lambda values, alpha: _shuffled(values, alpha, strata=True),
    "Welch's t-test": _welch,
    "signed ranks of pairs (Hodges-Lehmann)": _signed_ranks,
    "bootstrap of both medians": _median_bootstrap,
    "bootstrap of pairs, percentile": lambda values, alpha: _bootstrap(
        values, alpha, method="percentile", blocks=False
    ),
    "bootstrap of pairs, BCa": lambda values, alpha: _bootstrap(
        values, alpha, method="BCa", blocks=False
    ),
    "bootstrap of blocks, percentile": lambda values, alpha: _bootstrap(
        values, alpha, method="percentile", blocks=True
    ),
    "bootstrap of blocks, studentised": _studentised_bootstrap,
    "t-test of blocks, pair alone": _block_t,
}
