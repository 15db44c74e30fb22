"""The price of serving, in rows and words."""

from __future__ import annotations

import pandas as pd

SERVING_LEGEND = (
    "Times of the served stack over those of the embedded one, with 95% interval (docs/methodology"
    ".md, Comparing stacks). Not HTTP alone: what the two do differently stands on their pages in "
    "docs/engines."
)
_NAMES = {"e2e_ms": "e2e", "ttft_ms": "ttft", "tpot_ms": "tpot"}


def one_row_each(prices: pd.DataFrame) -> pd.DataFrame:
    """One row for each pair: `title_left`, `title_right`, and for each metric its columns.

    Those are ratio, ratio_low, ratio_high, verdict and reason, with the metric's short name
    before them: `ttft_ratio`.
    """
    figures = ("ratio", "ratio_low", "ratio_high", "verdict", "reason")
    parts = [
        prices.loc[prices["metric"] == metric, [*_PAIR, *figures]].rename(
            columns={figure: f"{name}_{figure}" for figure in figures}
        )
        for metric, name in _NAMES.items()
    ]
    first, *others = parts
    for other in others:
        first = first.merge(other, on=_PAIR)
    return first


_PAIR = ["condition_id_left", "condition_id_right", "title_left", "title_right"]
