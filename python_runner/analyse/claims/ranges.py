"""The rule for a pair of stacks: does its ratio lie where the claim says?"""

from __future__ import annotations

import math
from dataclasses import replace

from python_runner.analyse.claims.evidence import Compared
from python_runner.analyse.claims.result import ClaimVerdict, Finding
from python_runner.analyse.compare.verdict import equal_within
from python_runner.study.claim_tests import PairRange

_SUPPORTED = ClaimVerdict.SUPPORTED
_REFUTED = ClaimVerdict.REFUTED
_INCONCLUSIVE = ClaimVerdict.INCONCLUSIVE


def judge_range(said: PairRange, seen: Compared) -> Finding:
    """Hold what was claimed of log(left / right) against what was seen.

    A claim of a *difference* (lower, higher, by so much):

    - supported, if the difference is clear (above the noise floor, and not chance after Holm),
      has the right sign, and its whole interval lies within what the claim says;
    - refuted, if it is clear and the other way round, or beyond the most; or if the whole
      interval leaves no room for the least that is said. Where none is said, the least is a
      relevant difference (`equal_within`), and the ratio itself must not be above the noise
      floor that way. A least within the noise floor is replaced by the floor, up to the largest
      difference that may be called none; where the floor is still higher, the machine may hide
      what is claimed, and nothing is refuted like this;
    - else inconclusive.

    A claim of *closeness* (the range holds 0):

    - supported, if the whole interval lies within the range, and the noise floor does, too;
    - refuted, if the difference is clear and its whole interval lies outside;
    - else inconclusive.

    Swapping the sides changes nothing, and of two claims whose ranges do not meet at most one
    is supported.
    """
    if not seen.is_known or math.isnan(seen.effect):
        return _found(_INCONCLUSIVE, seen.lack or "too few complete iterations", seen)
    if said.holds_zero:
        return _judge_closeness(said, seen)
    if said.low >= 0:  # said of the lower side only
        finding = _judge_difference(said.swapped(), seen.swapped())
        return replace(finding, effect=seen.as_effect())
    return _judge_difference(said, seen)


def _judge_closeness(said: PairRange, seen: Compared) -> Finding:
    reach = min(-said.low, said.high)
    outside = seen.low > said.high or seen.high < said.low
    if seen.is_clear and outside:
        return _found(_REFUTED, f"they lie further apart than {_percent(reach)}", seen)
    if not (said.low <= seen.low and seen.high <= said.high):
        return _found(_INCONCLUSIVE, f"the interval reaches beyond {_percent(reach)}", seen)
    if math.log1p(seen.floor) > reach:
        noise = f"the machine's own noise ({seen.floor:.0%}) is more than {_percent(reach)}"
        return _found(_INCONCLUSIVE, noise, seen)
    return _found(_SUPPORTED, f"the whole interval lies within {_percent(reach)}", seen)


def _judge_difference(said: PairRange, seen: Compared) -> Finding:
    """The claim: the left is lower, log(left / right) in (low, high) with high <= 0."""
    if seen.is_clear and seen.effect < 0:
        if seen.high < said.low:
            return _found(_REFUTED, f"more than the {_percent(-said.low)} of the claim", seen)
        if said.low <= seen.low and (seen.high <= said.high or said.high == 0):
            return _found(_SUPPORTED, seen.reason, seen)
    if seen.is_clear and seen.effect > 0:
        return _found(_REFUTED, f"the other way round: {seen.reason}", seen)
    least, floor = -said.high, math.log1p(seen.floor)
    equal = float(equal_within(seen.floor))
    margin = max(least, min(floor, equal)) if least else equal
    if floor <= margin and seen.low > -margin and (least or seen.effect >= -floor):
        return _found(_REFUTED, f"the data leave no room for {_percent(margin)} that way", seen)
    if seen.is_clear:
        return _found(_INCONCLUSIVE, "the interval reaches beyond what the claim says", seen)
    return _found(_INCONCLUSIVE, seen.reason, seen)


def _found(verdict: ClaimVerdict, why: str, seen: Compared) -> Finding:
    return Finding(verdict=verdict, why=why, effect=seen.as_effect())


def _percent(log_ratio: float) -> str:
    return f"{math.expm1(log_ratio) * 100:.3g} %"
