"""Claims about iterations: a limit that none crosses, or who is ahead in how many."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from python_runner.analyse.claims.cast import Actor
from python_runner.analyse.claims.evidence import COLUMNS, Compared
from python_runner.analyse.claims.ranges import judge_range
from python_runner.analyse.claims.result import ClaimVerdict, Effect, Finding, Unit
from python_runner.analyse.compare.verdict import ALPHA, FEWEST_SAMPLES
from python_runner.analyse.latency import NO_FIGURES, request_metrics
from python_runner.analyse.summary import median_interval
from python_runner.study.claim_tests import Bound, InIterations

_ROUNDING = 1e-9


def judge_bound(
    test: Bound, actor: Actor, samples: pd.DataFrame, host: Mapping[str, Any]
) -> Finding:
    """A limit on every iteration, or on the median (then its interval has to keep it).

    A number of one machine says nothing about another, however much alike they are: without a
    `cpu` by which the machine is known again, or on another one, it is inconclusive.
    """
    timed = timed_values(samples, actor.condition_id, test.metric)
    values = np.asarray(timed, dtype=np.float64)
    if not values.size:
        return Finding.unknown("no complete iteration")
    effect = _extent(test, actor, values)
    return judge_extent(test, effect, str(host.get("cpu", "")), is_range=test.over == "every")


def judge_extent(test: Bound, effect: Effect, cpu: str, *, is_range: bool) -> Finding:
    """Hold a limit against what was seen.

    Args:
        test: has the limit.
        effect: the range of a figure, or one number with its interval.
        cpu: the processor's name.
        is_range: whether it is a range, which may not leave the limits at all.
    """
    is_there = bool(test.cpu) and test.cpu.lower() in cpu.lower()
    if (test.machine or test.cpu) and not is_there:
        where = test.machine or test.cpu
        return Finding(
            verdict=ClaimVerdict.INCONCLUSIVE,
            why=f"a number in {effect.unit.value} belongs to its machine ({where})",
            effect=effect,
        )
    if effect.n[0] < FEWEST_SAMPLES:
        return Finding(
            verdict=ClaimVerdict.INCONCLUSIVE, why="too few complete iterations", effect=effect
        )
    least = -math.inf if test.at_least is None else test.at_least
    most = math.inf if test.at_most is None else test.at_most
    if least <= effect.low and effect.high <= most:
        verdict, why = ClaimVerdict.SUPPORTED, "the limit is kept"
    elif is_range or effect.high < least or effect.low > most:
        verdict, why = ClaimVerdict.REFUTED, "the limit is crossed"
    else:
        verdict, why = ClaimVerdict.INCONCLUSIVE, "its interval holds the limit"
    return Finding(verdict=verdict, why=why, effect=effect)


def _extent(test: Bound, actor: Actor, values: npt.NDArray[np.float64]) -> Effect:
    every = test.over == "every"
    low, high = (values.min(), values.max()) if every else median_interval(values)
    unit = {"output_tokens": Unit.TOKENS}.get(
        test.metric, Unit.TOKENS_PER_S if test.metric.endswith("_per_s") else Unit.MS
    )
    return Effect(
        of=actor.title,
        value=float(np.median(values)),
        low=float(low),
        high=float(high),
        unit=unit,
        n=(len(values),),
    )


def judge_iterations(
    test: InIterations, actors: tuple[Actor, Actor], seen: Compared, samples: pd.DataFrame
) -> Finding:
    """In how many iterations one stack is ahead, the k-th beside the k-th; a tie is no lead.

    - supported, if the share that was seen is as large as claimed, and the whole difference is
      clear and has that sign (ten wins by a hair are won by the machine);
    - refuted, if the share's interval (`share_interval` of `independent_iterations`) leaves the
      claimed share out, or the share is smaller and the difference itself is refuted;
    - else inconclusive.
    """
    first, second = (timed_values(samples, one.condition_id, test.metric) for one in actors)
    both = pd.concat([first, second], axis=1, keys=["left", "right"], join="inner")
    n = len(both)
    if n < FEWEST_SAMPLES or not seen.is_known:
        return Finding.unknown("too few complete iterations that both have")
    is_lower = test.direction == "lower"
    ahead = both["left"] < both["right"] if is_lower else both["left"] > both["right"]
    share = float(ahead.mean())
    low, high = share_interval(
        share, independent_iterations(n, blocks=seen.blocks, design_effect=seen.design_effect)
    )
    effect = Effect(
        of=f"{actors[0].title} {test.direction} than {actors[1].title}",
        value=share,
        low=low,
        high=high,
        unit=Unit.SHARE,
        n=(n,),
        blocks=seen.blocks,
        noise_floor=seen.floor,
        floor_source=seen.floor_source,
    )
    whole = judge_range(test.ranges()[0], seen)
    count = f"{int(ahead.sum())} of {n} iterations"
    is_as_large = share >= test.share - _ROUNDING
    if is_as_large and whole.verdict is ClaimVerdict.SUPPORTED:
        return Finding(verdict=ClaimVerdict.SUPPORTED, why=f"{count}; {whole.why}", effect=effect)
    if high < test.share or (not is_as_large and whole.verdict is ClaimVerdict.REFUTED):
        return Finding(verdict=ClaimVerdict.REFUTED, why=f"{count}; {whole.why}", effect=effect)
    why = f"{count}, which may be chance" if not is_as_large else f"{count}, but {whole.why}"
    return Finding(verdict=ClaimVerdict.INCONCLUSIVE, why=why, effect=effect)


def independent_iterations(n: int, *, blocks: int, design_effect: float) -> float:
    """How many independent iterations so many of a run are worth: between `blocks` and n.

    n over the design effect (Korn and Graubard, Survey Methodology 24, 1998). The design effect
    of the run is that of its times and knows no upper end: drift adds to how blocks differ, and
    an iteration that cannot be told from its neighbour leaves nothing to divide by. That of a
    share has one. Iterations of a block are alike at most, then a block is worth one (Kish,
    Survey Sampling, 1965: 1 + (m - 1) rho, with rho = 1, is the size m of a block).
    """
    at_least = min(n, max(1, blocks))
    return max(float(at_least), n / max(1.0, design_effect))


def share_interval(share: float, n: float) -> tuple[float, float]:
    """95 % interval of a share (Clopper and Pearson 1934); n need not be a whole number.

    It is exact, so it covers with 95 % or more, never less.
    """
    hits = share * n
    low = stats.beta.ppf(ALPHA / 2, hits, n - hits + 1) if hits > 0 else 0.0
    high = stats.beta.ppf(1 - ALPHA / 2, hits + 1, n - hits) if hits < n else 1.0
    return float(low), float(high)


def timed_values(samples: pd.DataFrame, condition_id: int, metric: str) -> pd.Series[float]:
    """A figure of each timed request of one condition that has it, by iteration."""
    measured = request_metrics(samples[samples["condition_id"] == condition_id])
    timed = measured[~measured["is_warmup"].astype(bool) & ~measured["outcome"].isin(NO_FIGURES)]
    return timed.set_index("iteration")[COLUMNS[metric]].astype(float).dropna()
