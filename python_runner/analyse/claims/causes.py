"""Claims about a cause: only taking the cause away can tell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from python_runner.analyse.claims.evidence import Compared
from python_runner.analyse.claims.ranges import judge_range
from python_runner.analyse.claims.result import ClaimVerdict, Effect, Finding, Unit
from python_runner.study.claim_tests import Cause, PairRange, lower

_OPEN = ClaimVerdict.INCONCLUSIVE


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What taking the cause away did: the engine with the cause beside the one without it."""

    seen: Compared | None
    lack: str = ""
    """Why there is no such comparison."""
    missing: tuple[str, ...] = ()
    """Engines to run."""


def judge_cause(test: Cause, gaps: Sequence[Compared], removal: Removal) -> Finding:
    """Hold the difference that is to be explained against what the cause is worth.

    - Without the ablation: inconclusive, whatever the difference is.
    - Taking the cause away leaves no room for a relevant change: refuted.
    - There is no difference to explain, or it is not clear: inconclusive.
    - supported, if the lower end of what went with the cause is at least `share` of the upper
      end of the difference; refuted, if its upper end is below that share of the lower end. Both
      intervals have to speak for it, so this is on the safe side.

    Args:
        test: the claim.
        gaps: the higher stack beside each of the lower ones, log(left / right).
        removal: log(with the cause / without it), of this run or of another under the same
            conditions.
    """
    premise = [judge_range(said, seen) for said, seen in zip(test.ranges(), gaps, strict=True)]
    nothing = _nothing_to_explain(premise)
    if test.no_ablation:
        return _open(test.no_ablation, nothing)
    if removal.seen is None:
        return replace(_open(removal.lack, nothing), missing=removal.missing)
    change = judge_range(_gone(test), removal.seen)
    if change.verdict is ClaimVerdict.REFUTED:
        return replace(change, why=f"without it nothing gets relevantly lower: {change.why}")
    if nothing or change.verdict is _OPEN:
        why = nothing or f"what it is worth is not clear: {change.why}"
        return replace(change, verdict=_OPEN, why=why)
    open_gap = next((one for one in premise if one.verdict is not ClaimVerdict.SUPPORTED), None)
    if open_gap is not None:
        return replace(open_gap, verdict=_OPEN, why=f"the difference is not clear: {open_gap.why}")
    return _weigh(test, gaps, removal.seen)


def _gone(test: Cause) -> PairRange:
    """That it is higher with the cause than without."""
    with_cause, without = str(test.with_cause), str(test.without)
    return lower(without, with_cause).swapped()


def _weigh(test: Cause, gaps: Sequence[Compared], removed: Compared) -> Finding:
    """How much of each difference goes; the gap of which least is explained decides."""
    gap = max(gaps, key=lambda one: one.effect)
    effect = Effect(
        of=f"part of {' / '.join(gap.titles)} that goes with {' / '.join(removed.titles)}",
        value=removed.effect / gap.effect,
        low=removed.low / gap.high,
        high=removed.high / gap.low if gap.low > 0 else math.inf,
        unit=Unit.SHARE,
        n=removed.n,
        blocks=removed.blocks,
        noise_floor=max(removed.floor, gap.floor),
        floor_source=removed.floor_source,
    )
    asked = f"{test.share:.0%} of the difference"
    if all(removed.low >= test.share * one.high for one in gaps):
        return Finding(
            verdict=ClaimVerdict.SUPPORTED, why=f"at least {asked} goes with it", effect=effect
        )
    if any(removed.high < test.share * one.low for one in gaps):
        return Finding(
            verdict=ClaimVerdict.REFUTED, why=f"less than {asked} goes with it", effect=effect
        )
    return Finding(verdict=_OPEN, why=f"whether {asked} goes with it is not clear", effect=effect)


def _nothing_to_explain(premise: Sequence[Finding]) -> str:
    if not premise or any(one.verdict is not ClaimVerdict.REFUTED for one in premise):
        return ""
    return f"there is no such difference to explain here ({premise[0].why})"


def _open(why: str, nothing: str) -> Finding:
    return Finding.unknown(f"{why}; besides, {nothing}" if nothing else why)
