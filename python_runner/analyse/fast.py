"""Which stacks a zoomed picture shows."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

FAST_FACTOR = 2.0
"""Fast is whatever takes at most this many times as long as the fastest."""


@dataclass(frozen=True, kw_only=True)
class FastStacks:
    """The split that the zoomed pictures use."""

    shown: pd.DataFrame
    """Rows of the summary: the fastest stack, and those within `FAST_FACTOR` of it."""
    left_out: pd.DataFrame
    """Rows of the summary that have a median and are slower, or are struck out."""


def fast_stacks(summary: pd.DataFrame) -> FastStacks:
    """Split the stacks of one run by what was measured.

    The rule looks at latencies only. A fixed pair of languages would decide before the
    measurement which stacks are worth a closer look; study 1 zoomed on C++ and Rust, and
    shows them here, too, whenever they are the fast ones. Nor does it look at the path:
    embedded and served stacks stand in panels of their own, on one scale.

    Args:
        summary: `summarise`'s rows of one run.
    """
    measured = summary[summary["e2e_ms"].notna()]
    counts = measured["struck"] == ""
    fastest = measured.loc[counts, "e2e_ms"].min()
    is_fast = counts & (measured["e2e_ms"] <= FAST_FACTOR * fastest)
    return FastStacks(shown=measured[is_fast], left_out=measured[~is_fast])
