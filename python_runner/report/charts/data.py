"""What every picture is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from python_runner.analyse.compare import mark_outliers
from python_runner.analyse.fast import FastStacks, fast_stacks
from python_runner.analyse.latency import Outcome, request_metrics
from python_runner.analyse.stages.frame import stages_per_stack
from python_runner.analyse.summary import summarise
from python_runner.engines.contract import Language, Reach
from python_runner.report.answers import STRUCK, struck_of
from python_runner.report.facts import RunFacts, run_facts
from python_runner.report.palette import LANGUAGES, REACHES, VARIANTS, LanguageLook, ReachLook
from python_runner.report.units import spell_time
from python_runner.report.variants import variant_numbers


@dataclass(frozen=True, kw_only=True)
class ChartData:
    """One run, summarised."""

    facts: RunFacts
    summary: pd.DataFrame
    """One row for each stack, fastest first."""
    stages: pd.DataFrame
    """One row for each stack with a complete request: where its time goes."""
    complete: pd.DataFrame
    """Complete timed requests with their figures, in order of iteration."""
    requests: pd.DataFrame
    """Every request with its figures, warm-up and failed ones too, as they were made;
    `is_outlier`: by its E2E latency among those of its stack."""

    @property
    def measured(self) -> pd.DataFrame:
        """Rows of the summary that have a median."""
        return self.summary[self.summary["e2e_ms"].notna()]

    @property
    def fast(self) -> FastStacks:
        """What the zoomed pictures show and leave out."""
        return fast_stacks(self.summary)

    def iterations_of(self, condition_id: int) -> pd.DataFrame:
        """The complete timed requests of one stack."""
        return self.complete[self.complete["condition_id"] == condition_id]


def chart_data(samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame) -> ChartData:
    """Summarise one run for drawing. Raises UsageError for none or several."""
    summary = summarise(samples, conditions)
    summary = summary.assign(variant=variant_numbers(summary))
    measured = request_metrics(samples)
    is_complete = measured["outcome"] == Outcome.COMPLETE.value
    timed = measured[is_complete & ~measured["is_warmup"].astype(bool)]
    return ChartData(
        facts=run_facts(samples, conditions, runs, summary),
        summary=summary,
        stages=stages_per_stack(samples, conditions),
        complete=timed.sort_values(["condition_id", "iteration"]),
        requests=measured.assign(is_outlier=mark_outliers(measured, "e2e_ms")),
    )


def stack_name(stack: Mapping[Any, Any]) -> str:
    """Engine and version, as `llama.cpp 0.3.36`."""
    return f"{stack['title']} {stack['version']}".strip()


def stack_kind(stack: Mapping[Any, Any]) -> str:
    """Language and path, as `C++ · embedded`."""
    return f"{stack['language']} · {stack['reach']}"


def looks(stack: Mapping[Any, Any]) -> tuple[LanguageLook, ReachLook]:
    """How a stack is drawn, by its language and by its path, and by `variant` if it is one."""
    language, reach = LANGUAGES[Language(stack["language"])], REACHES[Reach(stack["reach"])]
    number = int(stack.get("variant", 0))
    if not number:
        return language, reach
    own = VARIANTS[(number - 1) % len(VARIANTS)]
    return replace(language, marker=own.marker), replace(reach, hatch=reach.hatch + own.hatch)


def left_out_words(stacks: FastStacks) -> str:
    """Which stacks a zoomed picture does not show, and how slow they are."""
    names = [
        f"{stack_name(stack)} ({STRUCK if struck_of(stack) else spell_time(stack['e2e_ms'])})"
        for stack in stacks.left_out.to_dict(orient="records")
    ]
    return f"Left out: {', '.join(names)}. " if names else ""


def served_words(stacks: pd.DataFrame, how: str) -> str:
    """`how` served stacks are drawn, and what marks a variant, if there are any."""
    is_served = (stacks["reach"] == Reach.SERVED.value).any()
    is_variant = "variant" in stacks and stacks["variant"].gt(0).any()
    return (f" {how}: served over HTTP." if is_served else "") + (
        " A shape or pattern other than its language's: a variant." if is_variant else ""
    )


def struck_words(stacks: pd.DataFrame, how: str) -> str:
    """`how` stacks whose answers are wrong are drawn, as a sentence, if there are any."""
    is_struck = any(struck_of(stack) for stack in stacks.to_dict(orient="records"))
    return f" {how}: {STRUCK}, the answers are wrong (see below)." if is_struck else ""
