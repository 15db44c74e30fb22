"""The ablations of a run in plain words: question, effect, verdict, what it means."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from python_runner.analyse.ablations import ablation_effects
from python_runner.analyse.compare import Verdict
from python_runner.report.terminal.layout import NOTE, QUIET
from python_runner.report.units import spell_change, spell_change_range, spell_share, spell_time

_METRICS = {"e2e_ms": "E2E latency", "ttft_ms": "TTFT", "tpot_ms": "TPOT"}
_LEGEND = (
    "Effect: how much longer it takes with the change, geometric means block by block, with its "
    "95 % interval. The verdict takes chance (Holm's correction for all of these) and the "
    "machine's own noise into account; see docs/methodology.md."
)


def ablations_report(
    samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame
) -> RenderableType | None:
    """What the ablations of one run show; None if its study has none."""
    study = json.loads(str(runs["study_json"].iloc[0]) or "{}")
    asked = study.get("ablations") or []
    if not asked:
        return None
    effects = ablation_effects(samples, conditions, asked)
    explained = study.get("explains")
    heading = f"Why run {explained} came out as it did" if explained else "Ablations"
    return Group(Text(f"\n{heading}", style="bold"), *_blocks(effects), Text(_LEGEND, style=QUIET))


def _blocks(effects: pd.DataFrame) -> Iterator[RenderableType]:
    """One for each ablation, under its question; a question of several stacks stands once."""
    asked = ""
    for row in effects.to_dict(orient="records"):
        if row["question"] != asked:
            asked = row["question"]
            yield Text(asked, style="bold")
        lines = [Text(sentence(row), style=_style(row))]
        if figures := _figures(row):
            lines.append(Text(figures, style=QUIET))
        if meaning := _meaning(row):
            lines.append(Text(meaning))
        yield Padding(Group(*lines), (0, 0, 0, 2))


def sentence(row: Mapping[Any, Any]) -> str:
    """The verdict on one ablation: `Switching it off changes E2E latency by +0.3 %: …`."""
    if row["lack"]:
        return f"{row['change']}: could not be tested. {row['lack']}."
    verdict, reason = str(row["verdict"]), str(row["reason"])
    said = f"{verdict} ({reason})" if verdict == Verdict.NOT_KNOWN.value else verdict
    figure = _METRICS[row["metric"]]
    if not math.isfinite(row["effect"]):
        return f"{row['change']}: {said}."
    inner = spell_change_range(row["effect_low"], row["effect_high"])
    between = f" ({inner})" if inner else ""
    return f"{row['change']} changes {figure} by {spell_change(row['effect'])}{between}: {said}."


def _figures(row: Mapping[Any, Any]) -> str:
    if row["lack"]:
        return ""
    sides = (
        f"{row[f'title_{side}']} {spell_time(row[f'median_{side}'])} (n {int(row[f'n_{side}'])})"
        for side in ("left", "right")
    )
    floor = f"noise floor {spell_share(row['noise_floor'])} ({row['floor_source']})"
    return f"{'; '.join(sides)}; {floor}"


def _meaning(row: Mapping[Any, Any]) -> str:
    if row["lack"]:
        return ""
    if row["verdict"] == Verdict.NO_DIFFERENCE.value:
        return str(row["if_equal"])
    return str(row["if_not"]) if row["verdict"] != Verdict.NOT_KNOWN.value else ""


def _style(row: Mapping[Any, Any]) -> str:
    return NOTE if row["lack"] or row["verdict"] == Verdict.NOT_KNOWN.value else ""
