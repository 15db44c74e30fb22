"""The stacks on ggml beside each other: the nearest thing to an experiment on the language."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from python_runner.analyse.ggml import BASE, compare_on_ggml, facts_of_stacks, on_ggml
from python_runner.analyse.summary import summarise
from python_runner.common.errors import UsageError
from python_runner.report.facts import run_facts
from python_runner.report.terminal.detail import pairs, title
from python_runner.report.terminal.layout import NOTE, Column, FittingTable
from python_runner.report.terminal.summary import below, heading
from python_runner.report.units import TO, spell_number, spell_ratio
from python_runner.report.words.ggml import (
    GGML_HEADINGS,
    GGML_LEGEND,
    METRIC_NAMES,
    bound_in_words,
    holders_of,
    one_row_each,
)

_WIDE = 76


def ggml_report(
    samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame
) -> RenderableType:
    """What is equal among the stacks on ggml of one run, and what each difference is worth.

    Raises:
        UsageError: the frames hold no run or several, or fewer than two stacks on ggml.
    """
    chosen = on_ggml(conditions)
    if len(chosen) < 2:
        raise UsageError(
            f"{len(chosen)} of the run's stacks say that they rest on ggml, and two are needed",
            hint="`polystack compare ggml` runs them; runs of before it do not say.",
        )
    own = samples[samples["condition_id"].isin(chosen["condition_id"])]
    facts = run_facts(own, chosen, runs, summarise(own, chosen))
    against, steps = compare_on_ggml(own, chosen)
    return Group(
        heading(facts),
        *_against(against),
        *_worth(steps),
        *_facts(facts_of_stacks(chosen)),
        Text(),
        *below(facts, GGML_LEGEND),
    )


def _against(against: pd.DataFrame) -> Iterator[RenderableType]:
    if against.empty:
        yield Text(
            f"{BASE} has no figures that count in this run: nothing to hold the others against.",
            style=NOTE,
        )
    for reach, text in GGML_HEADINGS.items():
        rows = against[against["reach"] == reach.value]
        if not rows.empty:
            yield title(text)
            yield FittingTable(columns=_AGAINST, rows=one_row_each(rows, "title_left"))


def _worth(steps: pd.DataFrame) -> Iterator[RenderableType]:
    if steps.empty:
        return
    yield title("What each difference is worth")
    wide = one_row_each(steps, "what")
    yield FittingTable(columns=_STEPS, rows=wide)
    for row in wide.to_dict(orient="records"):
        yield Text(f"{row['what']}: {bound_in_words(row)}")


def _facts(facts: pd.DataFrame) -> Iterator[RenderableType]:
    equal = facts[facts["is_equal"] & (facts["value"] != "")]
    if not equal.empty:
        yield title("Equal")
        yield pairs(dict(zip(equal["fact"], equal["value"], strict=True)))
    unequal = facts[~facts["is_equal"]]
    if not unequal.empty:
        yield title("Not equal")
        yield pairs(
            {str(fact): holders_of(rows) for fact, rows in unequal.groupby("fact", sort=False)}
        )


def _ratio(metric: str) -> Column:
    def cell(row: Mapping[Any, Any]) -> tuple[str, str]:
        low, high = row[f"ratio_low_{metric}"], row[f"ratio_high_{metric}"]
        interval = f"{spell_number(low)}{TO}{spell_number(high)}" if math.isfinite(low) else ""
        return spell_ratio(row[f"ratio_{metric}"]), interval

    return Column(header=METRIC_NAMES[metric], cell=cell)


def _verdict(row: Mapping[Any, Any]) -> tuple[str, str]:
    return str(row["verdict_e2e_ms"]), ""


def _first(header: str) -> Column:
    return Column(
        header=header,
        cell=lambda row: (row["name"], ""),
        justify="left",
        style=lambda _row: "bold",
        may_wrap=True,
    )


_RATIOS = tuple(_ratio(metric) for metric in METRIC_NAMES)
_SAID = Column(header="verdict", cell=_verdict, justify="left", from_width=_WIDE)
_AGAINST = (_first("stack"), *_RATIOS, _SAID)
_STEPS = (_first("what differs"), *_RATIOS, _SAID)
