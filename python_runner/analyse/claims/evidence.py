"""The comparisons that claims need, made once for a run: one family for Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from python_runner.analyse.claims.result import Effect
from python_runner.analyse.compare import Reason, compare_pairs, decide, holm
from python_runner.analyse.compare.permutation import RESAMPLES
from python_runner.analyse.compare.verdict import FEWEST_SAMPLES
from python_runner.analyse.latency import NO_FIGURES, request_metrics

COLUMNS: Mapping[str, str] = {
    "e2e": "e2e_ms",
    "ttft": "ttft_ms",
    "tpot": "tpot_ms",
    "output_tokens_per_s": "output_tokens_per_s",
    "decode_tokens_per_s": "decode_tokens_per_s",
    "output_tokens": "output_tokens",
}
"""The figures of claims that single requests have, and where they stand."""

Wanted = tuple[str, int, int]
"""A figure of `COLUMNS` and two conditions."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Two conditions beside each other, as `compare_pairs` has them."""

    titles: tuple[str, str]
    effect: float
    """log(left / right); NaN where there is none."""
    half_width: float
    floor: float
    """Relative: 0.05 is five per cent."""
    floor_source: str
    is_clear: bool
    """Above the noise floor, and not chance."""
    reason: str
    n: tuple[int, int]
    blocks: int
    design_effect: float
    lack: str = ""
    """Why there is too little to say anything, where that can be told better than by a count."""

    @property
    def is_known(self) -> bool:
        """Whether there were enough samples to say anything."""
        return self.reason not in (Reason.TOO_FEW.value, Reason.OTHER_LENGTHS.value)

    @property
    def low(self) -> float:
        return self.effect - self.half_width

    @property
    def high(self) -> float:
        return self.effect + self.half_width

    def swapped(self) -> Compared:
        """The right beside the left."""
        return replace(
            self, titles=self.titles[::-1], effect=-self.effect, n=(self.n[1], self.n[0])
        )

    def as_effect(self) -> Effect:
        """As a ratio, for the reader."""
        return Effect(
            of=" / ".join(self.titles),
            value=math.exp(self.effect),
            low=math.exp(self.low),
            high=math.exp(self.high),
            n=self.n,
            blocks=self.blocks,
            noise_floor=self.floor,
            floor_source=self.floor_source,
        )


def compare_all(
    samples: pd.DataFrame,
    conditions: pd.DataFrame,
    wanted: Iterable[Wanted],
    *,
    resamples: int = RESAMPLES,
) -> dict[Wanted, Compared]:
    """Compare every pair of each figure; all of them are one family.

    Args:
        samples: one row for each request of one run.
        conditions: one row for each stack of it.
        wanted: a pair may stand there twice and in both orders; it is tested once.
        resamples: shufflings of each test.

    Returns:
        Each wanted one, and the same with its sides swapped.
    """
    once = sorted({(metric, min(pair), max(pair)) for metric, *pair in wanted})
    parts = [
        compare_pairs(
            _with_figure(samples, metric),
            conditions,
            [(left, right) for name, left, right in once if name == metric],
            metric=COLUMNS[metric],
            resamples=resamples,
        )
        for metric in dict.fromkeys(metric for metric, _, _ in once)
    ]
    if not parts:
        return {}
    table = pd.concat(parts, ignore_index=True)
    corrected = holm(table["p"].to_numpy(dtype=float))
    found: dict[Wanted, Compared] = {}
    rows = table.to_dict(orient="records")
    for (metric, left, right), row, p_holm in zip(once, rows, corrected, strict=True):
        one = _compared(row, float(p_holm))
        found[metric, left, right] = one
        found[metric, right, left] = one.swapped()
    return found


def _with_figure(samples: pd.DataFrame, metric: str) -> pd.DataFrame:
    """A request that failed has a count of tokens, too, which is no figure."""
    if metric != "output_tokens":
        return samples
    has_none = request_metrics(samples)["outcome"].isin(NO_FIGURES)
    return samples[~has_none]


def _compared(row: Mapping[Any, Any], p_holm: float) -> Compared:
    effect = math.log(row["ratio"])
    half_width = math.log(row["ratio_high"]) - effect
    reason = str(row["reason"])
    lack = reason if reason == Reason.OTHER_LENGTHS.value else ""
    if reason != Reason.TOO_FEW.value and not lack:
        _, reasons = decide(
            effect=effect,
            half_width=half_width,
            p_holm=p_holm,
            floor=row["noise_floor"],
            n_fewest=FEWEST_SAMPLES,
        )
        reason = str(reasons.item())
    return Compared(
        titles=(str(row["title_left"]), str(row["title_right"])),
        effect=effect,
        half_width=half_width,
        floor=float(row["noise_floor"]),
        floor_source=str(row["floor_source"]),
        is_clear=reason == Reason.CLEAR.value,
        reason=reason,
        n=(int(row["n_left"]), int(row["n_right"])),
        blocks=int(row["blocks"]),
        design_effect=float(row["design_effect"]),
        lack=lack,
    )
