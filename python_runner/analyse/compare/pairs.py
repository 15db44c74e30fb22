"""One row for each pair of stacks: what may be said about the two."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.compare.blocks import Cells, Floats, estimate
from python_runner.analyse.compare.effect import cliffs_delta, size_of
from python_runner.analyse.compare.family import Pair, holm
from python_runner.analyse.compare.noise import PROBES, NoiseFloor, floor_of, waiting_floor
from python_runner.analyse.compare.permutation import RESAMPLES, TestResult, compare_family
from python_runner.analyse.compare.verdict import ALPHA, Reason, Verdict, decide
from python_runner.analyse.disturbed import waits_of
from python_runner.analyse.latency import NAN, request_metrics
from python_runner.analyse.lengths import GROWS_WITH_LENGTH, asks_unevenly, is_as_long
from python_runner.analyse.summary import median_interval

_RATE = "_per_s"
_SIDE = ("run_id", "condition_id", "stack", "title")
COLUMNS = (
    *(f"{name}_{side}" for side in ("left", "right") for name in _SIDE),
    "metric",
    *(
        f"{name}_{side}"
        for side in ("left", "right")
        for name in ("n", "median", "median_low", "median_high")
    ),
    "blocks",
    *("ratio", "ratio_low", "ratio_high", "p", "p_holm", "design_effect"),
    *("cliffs_delta", "effect_size", "noise_floor", "floor_source", "verdict", "reason"),
)


@dataclass(frozen=True, kw_only=True)
class _Side:
    rows: pd.DataFrame
    """Timed requests that have a value of the metric."""
    metric: str

    @property
    def blocks(self) -> set[int]:
        return set(self.rows["block"])

    def only(self, iterations: Collection[int]) -> _Side:
        return replace(self, rows=self.rows[self.rows["iteration"].isin(iterations)])

    def logs(self, column: str, block: int) -> Floats:
        values = self.rows.loc[self.rows["block"] == block, column].to_numpy(dtype=np.float64)
        return np.asarray(np.log(values[values > 0]))

    def figures(self, name: str) -> dict[str, float]:
        values = self.rows[self.metric].to_numpy(dtype=np.float64)
        low, high = median_interval(values)
        return {
            f"n_{name}": len(values),
            f"median_{name}": float(np.median(values)) if len(values) else NAN,
            f"median_low_{name}": low,
            f"median_high_{name}": high,
        }


def all_pairs(conditions: pd.DataFrame) -> list[Pair]:
    """Every two conditions of one run, once, in order of measurement."""
    return [
        pair
        for _, mine in conditions.groupby("run_id", sort=False)
        for pair in combinations((int(one) for one in mine["condition_id"]), 2)
    ]


def matching_pairs(conditions: pd.DataFrame, left_run: int, right_run: int) -> list[Pair]:
    """The stacks that two runs have in common: each in the left run beside itself in the right."""
    runs = conditions.set_index(["run_id", "stack"])["condition_id"]
    left, right = runs.xs(left_run), runs.xs(right_run)
    return [(int(left[stack]), int(right[stack])) for stack in left.index if stack in right.index]


def compare_pairs(
    samples: pd.DataFrame,
    conditions: pd.DataFrame,
    pairs: Sequence[Pair] | None = None,
    *,
    metric: str = "e2e_ms",
    alpha: float = ALPHA,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Compare stacks two by two. The pairs given are one family, and Holm's correction is theirs.

    Args:
        samples: one row for each request, as `store` reads them. `block` (whole number) says
            which visit to the stack it belongs to; without it all is one block. The columns
            `probe_compute_ns` and `probe_memory_ns` hold the probe's durations before the
            iteration; both may be absent or empty.
        conditions: one row for each stack of a run.
        pairs: which to compare, as values of `condition_id`; None: `all_pairs`.
        metric: a figure of `request_metrics`: a time, or a rate (its name ends in `_per_s`).
        alpha: error of the family, and 1 - confidence of each interval of a ratio. For
            several looks at growing data, `looks.look_alpha`.
        resamples: shufflings of the permutation test.

    Returns:
        One row for each pair, in their order:

        - run_id_left, condition_id_left, stack_left, title_left, and the same for the right.
        - metric; n_left: timed requests with a value. median_left, median_low_left,
          median_high_left: with its 95 % bootstrap interval. The same for the right.
        - blocks: those that both stacks have values in; only they enter the ratio.
        - ratio: left / right, the geometric mean over the blocks of the ratio of the two
          stacks' geometric means; ratio_low, ratio_high: its interval, which leaves out 1 just
          if p <= alpha. It is of one pair; it is not widened for the number of pairs.
        - p, p_holm: see `permutation.permutation_test` and `family.holm`.
        - design_effect: how many iterations were worth one independent one.
        - cliffs_delta, effect_size: of the pooled samples; positive: the left has larger values.
        - noise_floor: relative; floor_source.
        - verdict, reason: see `verdict.decide`, and `lengths` for E2E latency.

        NaN where a figure cannot be had.
    """
    chosen = all_pairs(conditions) if pairs is None else list(pairs)
    sides = _sides(_usable(samples, metric), chosen, metric)
    tests = _test(chosen, sides, metric, alpha, resamples)
    floors = _floors(chosen, sides, conditions)
    corrected = holm([tests[pair].p if pair in tests else NAN for pair in chosen])
    known = {int(row["condition_id"]): row for row in conditions.to_dict(orient="records")}
    rows = [
        _identity(known[left], known[right])
        | {"metric": metric, "p_holm": p_holm}
        | _beside(sides[left], sides[right])
        | _ratio(tests.get((left, right)))
        | _verdict(float(p_holm), floor, tests.get((left, right)), alpha, metric)
        | _of_other_lengths(sides[left], sides[right], metric)
        for (left, right), floor, p_holm in zip(chosen, floors, corrected, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _identity(left: Mapping[Any, Any], right: Mapping[Any, Any]) -> dict[str, object]:
    return {
        f"{name}_{side}": condition[name]
        for side, condition in (("left", left), ("right", right))
        for name in _SIDE
    }


@dataclass(frozen=True, kw_only=True)
class _Test:
    effect: float
    p: float
    half_width: float
    deff: float
    n_fewest: int
    """Values of the side that has fewer, in the blocks that both have."""


def _usable(samples: pd.DataFrame, metric: str) -> pd.DataFrame:
    measured = request_metrics(samples)
    timed = measured[~measured["is_warmup"].astype(bool) & measured[metric].gt(0)]
    blocks = timed["block"] if "block" in timed else pd.Series(1, index=timed.index)
    return timed.assign(block=pd.to_numeric(blocks).fillna(1).astype(int))


def _sides(measured: pd.DataFrame, pairs: Sequence[Pair], metric: str) -> dict[int, _Side]:
    return {
        identity: _Side(rows=measured[measured["condition_id"] == identity], metric=metric)
        for identity in {one for pair in pairs for one in pair}
    }


def _cells(left: _Side, right: _Side, column: str) -> Cells | None:
    """The values of two sides in the blocks where both have some; None if there are none."""
    shared = sorted(left.blocks & right.blocks)
    both = [(left.logs(column, block), right.logs(column, block)) for block in shared]
    both = [(first, second) for first, second in both if first.size and second.size]
    if not both:
        return None
    values = np.zeros((1, len(both), max(first.size + second.size for first, second in both)))
    for block, (first, second) in enumerate(both):
        values[0, block, : first.size + second.size] = np.concatenate([first, second])
    return Cells(
        values=values,
        n_left=np.array([first.size for first, _ in both]),
        n_right=np.array([second.size for _, second in both]),
    )


def _matched(left: _Side, right: _Side) -> tuple[_Side, _Side]:
    """The two sides with the same work.

    Where requests are not the same work (prompts of a file, answers that may end), only the
    iterations that both have enter ratio and test.
    """
    if not asks_unevenly(left.rows) and not asks_unevenly(right.rows):
        return left, right
    both = set(left.rows["iteration"]) & set(right.rows["iteration"])
    return left.only(both), right.only(both)


def _test(
    pairs: Sequence[Pair], sides: dict[int, _Side], metric: str, alpha: float, resamples: int
) -> dict[Pair, _Test]:
    """Tests are done from the slower to the faster side: swapping a pair changes only signs."""
    family: dict[Pair, Cells] = {}
    for left, right in pairs:
        first, second = _matched(sides[left], sides[right])
        cells = _cells(first, second, metric)
        if cells is not None and estimate(cells).effect[0] >= 0:
            family[left, right] = cells
        elif cells is not None:
            swapped = _cells(second, first, metric)
            assert swapped is not None
            family[right, left] = swapped
    if not family:
        return {}
    tests = {}
    for (left, right), result in compare_family(family, alpha=alpha, resamples=resamples).items():
        cells = family[left, right]
        n_fewest = int(min(cells.n_left.sum(), cells.n_right.sum()))
        tests[left, right] = _first(result, 1, n_fewest)
        tests[right, left] = _first(result, -1, n_fewest)
    return tests


def _first(result: TestResult, sign: int, n_fewest: int) -> _Test:
    return _Test(
        effect=sign * float(result.effect[0]),
        p=float(result.p[0]),
        half_width=float(result.half_width[0]),
        deff=float(result.deff[0]),
        n_fewest=n_fewest,
    )


def _floors(
    pairs: Sequence[Pair], sides: dict[int, _Side], conditions: pd.DataFrame
) -> list[NoiseFloor]:
    """The floor of each pair: what the probe shows is the same for all that took turns."""
    run_of = conditions.set_index("condition_id")["run_id"]
    in_turns = [
        len(sides[left].blocks & sides[right].blocks) > 1 and bool(run_of[left] == run_of[right])
        for left, right in pairs
    ]
    telling = [pair for pair, turns in zip(pairs, in_turns, strict=True) if turns] or pairs
    probes = [
        cells
        for left, right in telling
        for probe in PROBES
        if probe in sides[left].rows
        and (cells := _cells(sides[left], sides[right], probe)) is not None
    ]
    stacks = {one for pair in telling for one in pair}
    waiting = waiting_floor(waits_of(sides[one].rows) for one in stacks)
    return [floor_of(probes, in_turns=turns, waiting=waiting) for turns in in_turns]


def _ratio(test: _Test | None) -> dict[str, object]:
    if test is None:
        nothing = ("ratio", "ratio_low", "ratio_high", "p", "design_effect")
        return dict.fromkeys(nothing, NAN)
    with np.errstate(over="ignore"):  # two wild values may leave everything open: up to infinity
        low, high = np.exp([test.effect - test.half_width, test.effect + test.half_width])
    return {
        "ratio": float(np.exp(test.effect)),
        "ratio_low": float(low),
        "ratio_high": float(high),
        "p": test.p,
        "design_effect": test.deff,
    }


def _beside(left: _Side, right: _Side) -> dict[str, object]:
    delta = cliffs_delta(left.rows[left.metric], right.rows[right.metric])
    return {
        **left.figures("left"),
        **right.figures("right"),
        "blocks": len(left.blocks & right.blocks),
        "cliffs_delta": delta,
        "effect_size": size_of(delta).value,
    }


def _of_other_lengths(left: _Side, right: _Side, metric: str) -> dict[str, object]:
    """What is said in place of a verdict where the figure hangs on the length of the answers."""
    if metric not in GROWS_WITH_LENGTH or is_as_long(left.rows, right.rows):
        return {}
    return {"verdict": Verdict.NOT_KNOWN.value, "reason": Reason.OTHER_LENGTHS.value}


def _verdict(
    p_holm: float, floor: NoiseFloor, test: _Test | None, alpha: float, metric: str
) -> dict[str, object]:
    verdicts, reasons = decide(
        effect=test.effect if test else NAN,
        half_width=test.half_width if test else NAN,
        p_holm=p_holm,
        floor=floor.value,
        n_fewest=test.n_fewest if test else 0,
        alpha=alpha,
        lower_is_faster=not metric.endswith(_RATE),
    )
    return {
        "noise_floor": floor.value,
        "floor_source": floor.source.value,
        "verdict": str(verdicts.item()),
        "reason": str(reasons.item()),
    }
