"""Claims about failure: a stack ends before its time, or its requests fail, for such a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from python_runner.analyse.claims.apart import RunFrames
from python_runner.analyse.claims.counts import share_interval
from python_runner.analyse.claims.result import ClaimVerdict, Effect, Finding, Unit
from python_runner.analyse.latency import Outcome, request_metrics
from python_runner.analyse.load.request import LoadOutcome, request_figures
from python_runner.study.claim_tests import Fails
from python_runner.study.claims import StackOfClaims

_NEITHER = frozenset({LoadOutcome.CUT_OFF.value, LoadOutcome.SUSPENDED.value})
"""Requests of a load that neither failed nor did not."""


def judge_fails(test: Fails, stack: StackOfClaims, frames: RunFrames) -> Finding:
    """Look for the failure in the first of the stack's engines that was tried.

    Stand-ins do not count: that one server runs out of memory says nothing about another.

    - supported, if the stack ended for that reason, or a timed request failed for it (with
      `share`: if the whole interval of the share of those that did is as large);
    - refuted, if none did (with `share`: if the whole interval is smaller). A claim about some
      models is not refuted by one of them: then it is inconclusive;
    - inconclusive, if the stack was not run, or gave nothing for another reason.
    """
    rows = {str(row["stack"]): row for row in frames.conditions.to_dict(orient="records")}
    row = next((rows[name] for name in stack.engines if name in rows), None)
    if row is None:
        return Finding.unknown(f"{stack.title} was not run", missing=[stack.engines[0]])
    error = str(row["error"])
    if error and test.words.lower() in error.lower():
        return Finding(verdict=ClaimVerdict.SUPPORTED, why=f"{row['title']} ended: {error}")
    failures = _failures(test, row, frames)
    if not failures:
        return Finding.unknown(f"{row['title']} gave no result ({error or 'no reason'})")
    failed = [bool(why) and test.words.lower() in why.lower() for why in failures]
    effect = _effect(f"{row['title']}, requests that failed so", failed)
    why = f"{sum(failed)} of {len(failed)} requests failed so"
    return _found(test, effect, why, str(row["model"]))


def _found(test: Fails, effect: Effect, why: str, model: str) -> Finding:
    if test.share is None:
        is_so, is_not = effect.value > 0, effect.value == 0
    else:
        is_so, is_not = effect.low >= test.share, effect.high < test.share
    if is_so:
        return Finding(verdict=ClaimVerdict.SUPPORTED, why=why, effect=effect)
    if is_not and test.on == "some":
        why = f"{why} with {model}; the claim is about some models, and another may"
        return Finding(verdict=ClaimVerdict.INCONCLUSIVE, why=why, effect=effect)
    verdict = ClaimVerdict.REFUTED if is_not else ClaimVerdict.INCONCLUSIVE
    return Finding(verdict=verdict, why=why, effect=effect)


def _effect(of: str, failed: Sequence[bool]) -> Effect:
    share = sum(failed) / len(failed)
    low, high = share_interval(share, len(failed))
    return Effect(of=of, value=share, low=low, high=high, unit=Unit.SHARE, n=(len(failed),))


def _failures(test: Fails, row: Mapping[Any, Any], frames: RunFrames) -> list[str]:
    """Of each timed request the reason why it failed, else an empty text."""
    if not frames.is_load:
        measured = request_metrics(frames.samples)
        mine = measured[measured["condition_id"] == row["condition_id"]]
        mine = mine[mine["outcome"] != Outcome.SUSPENDED.value]
        failed = mine["outcome"] == Outcome.FAILED.value
    else:
        levels = frames.levels[frames.levels["condition_id"] == row["condition_id"]]
        if test.users is not None:
            levels = levels[levels["users"] == test.users]
        asked = frames.requests[frames.requests["level_id"].isin(levels["level_id"])]
        mine = request_figures(asked, levels)
        mine = mine[~mine["outcome"].isin(_NEITHER)]
        failed = mine["outcome"] == LoadOutcome.FAILED.value
    timed = ~mine["is_warmup"].astype(bool)
    return [str(why) for why in mine["failure"].where(failed, "")[timed]]
