"""The ablations of a run in plain words: question, effect, verdict, what it means."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from python_runner.analyse.ablations import ablation_effects
from python_runner.analyse.compare import Verdict
from python_runner.report.terminal.layout import NOTE, QUIET
from python_runner.report.words.ablations import (
    ABLATIONS_LEGEND,
    figures_of,
    meaning_of,
    sentence,
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
    return Group(
        Text(f"\n{heading}", style="bold"), *_blocks(effects), Text(ABLATIONS_LEGEND, style=QUIET)
    )


def _blocks(effects: pd.DataFrame) -> Iterator[RenderableType]:
    """One for each ablation, under its question; a question of several stacks stands once."""
    order = {question: place for place, question in enumerate(effects["question"].unique())}
    asked = ""
    rows = sorted(effects.to_dict(orient="records"), key=lambda row: order[row["question"]])
    for row in rows:
        if row["question"] != asked:
            asked = row["question"]
            yield Text(asked, style="bold")
        lines = [Text(sentence(row), style=_style(row))]
        if figures := figures_of(row):
            lines.append(Text(figures, style=QUIET))
        if meaning := meaning_of(row):
            lines.append(Text(meaning))
        yield Padding(Group(*lines), (0, 0, 0, 2))


def _style(row: Mapping[Any, Any]) -> str:
    return NOTE if row["lack"] or row["verdict"] == Verdict.NOT_KNOWN.value else ""
