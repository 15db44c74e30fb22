"""The rows of short questions, one request at a time: tokens/s, seconds, tokens, agreement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from python_runner.analyse.answers import AnswerVerdict, judge_answers
from python_runner.analyse.latency import MS_PER_S, Outcome, request_metrics
from python_runner.analyse.published.ours import OurRow, known, said_of
from python_runner.analyse.published.part import PartRun
from python_runner.engines.contract import WEIGHTS_IN_MEMORY
from python_runner.study.published import Value

_PERCENT = 100.0


def nine_prompts_rows(run: PartRun) -> Iterator[OurRow]:
    """A row for each stack, in the order in which they ran.

    Figures: `options` (what the weights were held in), `tokens_per_s`, `seconds` (E2E latency)
    and `output_tokens`: means over the complete timed answers, `prompts` many; `agreement`: per
    cent of the tokens that are the reference's best, given those before (`judge_answers`).
    """
    complete = complete_answers(run)
    judged = {
        row["condition_id"]: row for row in judge_answers(run.frames.answers).to_dict("records")
    }
    for condition in run.conditions:
        mine = complete[complete["condition_id"] == condition["condition_id"]]
        verdict = judged.get(condition["condition_id"], {})
        yield OurRow(
            stack=str(condition["stack"]),
            values={**said_of(condition, run), **_figures(condition, mine, verdict)},
            lack="; ".join(_lacks(condition, mine, verdict, int(run.study["iterations"]))),
        )


def answers_by_stack(run: PartRun) -> dict[str, pd.DataFrame]:
    """Each stack's timed requests, in their order: what was asked, and what came.

    Columns: prompt, seconds (request to last token), output_tokens, tokens_per_s, answer; the
    figures are NaN where a request failed or its answer is empty.
    """
    measured = request_metrics(run.frames.samples)
    timed = measured[~measured["is_warmup"].astype(bool)].sort_values("iteration")
    tables = pd.DataFrame(
        {
            "stack": timed["stack"],
            "prompt": timed["prompt_text"],
            "seconds": timed["e2e_ms"] / MS_PER_S,
            "output_tokens": timed["output_tokens"].where(timed["e2e_ms"].notna()),
            "tokens_per_s": timed["output_tokens_per_s"],
            "answer": timed["text"],
        }
    )
    return {
        str(condition["stack"]): tables[tables["stack"] == condition["stack"]].drop(columns="stack")
        for condition in run.conditions
    }


def complete_answers(run: PartRun) -> pd.DataFrame:
    """The timed requests of a run that have every figure (`request_metrics`)."""
    measured = request_metrics(run.frames.samples)
    is_used = (measured["outcome"] == Outcome.COMPLETE.value) & ~measured["is_warmup"].astype(bool)
    return measured[is_used]


def _figures(
    condition: Mapping[Any, Any], mine: pd.DataFrame, verdict: Mapping[Any, Any]
) -> dict[str, Value]:
    build = condition["build"] or {}
    figures = known(
        options=str(build.get(WEIGHTS_IN_MEMORY, "")),
        agreement=float(verdict["best_share"]) * _PERCENT if verdict else None,
    )
    if mine.empty:
        return figures
    return figures | known(
        tokens_per_s=float(mine["output_tokens_per_s"].mean()),
        seconds=float(mine["e2e_ms"].mean()) / MS_PER_S,
        output_tokens=float(mine["output_tokens"].astype(float).mean()),
        prompts=len(mine),
    )


def _lacks(
    condition: Mapping[Any, Any], mine: pd.DataFrame, verdict: Mapping[Any, Any], planned: int
) -> Iterator[str]:
    if condition["error"]:
        yield str(condition["error"])
    elif len(mine) < planned:
        yield f"{planned - len(mine)} of {planned} answers are missing: they failed, or were empty"
    if verdict.get("verdict") == AnswerVerdict.WRONG.value:
        yield f"its answers are wrong, so its speed does not count: {verdict['reason']}"
    elif not verdict:
        yield "its answers were not compared with the reference's"
