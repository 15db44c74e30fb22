"""What an ablation shows, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from python_runner.analyse.compare import Verdict
from python_runner.report.units import (
    TO,
    spell_change,
    spell_change_range,
    spell_number,
    spell_ratio,
    spell_time,
)

_METRICS = {"e2e_ms": "E2E latency", "ttft_ms": "TTFT", "tpot_ms": "TPOT"}
_MANY_TIMES = 3.0
"""From here on a factor says more than per cent: 11.2 times, not +1,024 %."""
ABLATIONS_LEGEND = (
    "Effect: how much longer it takes with the change, geometric means block by block, with its "
    "95 % interval. The verdict takes chance (Holm's correction for all of these) and the "
    "machine's own noise into account; see docs/methodology.md."
)


def sentence(row: Mapping[Any, Any]) -> str:
    """The verdict on one ablation: `Switching it off changes E2E latency by +0.3 %: …`."""
    if row["lack"]:
        return f"{row['change']}: could not be tested. {row['lack']}."
    verdict, reason = str(row["verdict"]), str(row["reason"])
    said = f"{verdict} ({reason})" if verdict == Verdict.NOT_KNOWN.value else verdict
    figure = _METRICS[row["metric"]]
    if not math.isfinite(row["effect"]):
        return f"{row['change']}: {said}."
    effect, low, high = row["effect"], row["effect_low"], row["effect_high"]
    if effect >= _MANY_TIMES - 1:
        ends = TO.join(spell_number(end + 1) for end in (low, high) if not math.isnan(end))
        between = f" ({ends})" if ends else ""
        return f"{row['change']} makes {figure} {spell_ratio(effect + 1)}{between}: {said}."
    inner = spell_change_range(low, high)
    between = f" ({inner})" if inner else ""
    return f"{row['change']} changes {figure} by {spell_change(effect)}{between}: {said}."


def figures_of(row: Mapping[Any, Any]) -> str:
    """What stands behind the sentence: medians, counts, noise floor."""
    if row["lack"]:
        return ""
    sides = (
        f"{row[f'title_{side}']} {spell_time(row[f'median_{side}'])} (n {int(row[f'n_{side}'])})"
        for side in ("left", "right")
    )
    floor = f"noise floor {row['noise_floor'] * 100:.1f} % ({row['floor_source']})"
    return f"{'; '.join(sides)}; {floor}"


def meaning_of(row: Mapping[Any, Any]) -> str:
    """What the verdict means; empty where there is none."""
    if row["lack"]:
        return ""
    if row["verdict"] == Verdict.NO_DIFFERENCE.value:
        return str(row["if_equal"])
    return str(row["if_not"]) if row["verdict"] != Verdict.NOT_KNOWN.value else ""
