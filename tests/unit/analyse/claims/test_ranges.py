"""The rule for a pair: what it says, and what it can never say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.claims.evidence import Compared
from python_runner.analyse.claims.ranges import judge_range
from python_runner.analyse.claims.result import ClaimVerdict
from python_runner.analyse.compare import Reason, decide
from python_runner.study.claim_tests import PairRange, lower

SUPPORTED, REFUTED, INCONCLUSIVE = ClaimVerdict


def seen(
    ratio: float, *, within: float = 0.02, floor: float = 0.01, p: float = 0.0001, n: int = 10
) -> Compared:
    """left / right as it was measured, its interval so wide, by the rule of `compare`."""
    effect, half_width = math.log(ratio), math.log1p(within)
    _, reasons = decide(effect=effect, half_width=half_width, p_holm=p, floor=floor, n_fewest=n)
    reason = str(reasons.item())
    return Compared(
        titles=("a", "b"),
        effect=effect,
        half_width=half_width,
        floor=floor,
        floor_source="probe",
        is_clear=reason == Reason.CLEAR,
        reason=reason,
        n=(n, n),
        blocks=5,
        design_effect=1.0,
    )


def close(within: float) -> PairRange:
    return PairRange(left="a", right="b", low=-math.log1p(within), high=math.log1p(within))


@pytest.mark.parametrize(
    ("said", "measured", "verdict"),
    [
        # a is lower than b
        (lower("a", "b"), seen(0.8), SUPPORTED),
        (lower("a", "b"), seen(1.25), REFUTED),
        (lower("a", "b"), seen(1.0, p=0.9), REFUTED),  # no difference: none that matters fits
        (lower("a", "b"), seen(0.8, p=0.2, within=0.3), INCONCLUSIVE),
        (lower("a", "b"), seen(1.0, p=0.9, within=0.1), INCONCLUSIVE),  # too wide for "equal"
        (lower("a", "b"), seen(0.97, floor=0.05, within=0.01), REFUTED),  # the machine's own
        (lower("a", "b"), seen(0.97, floor=0.05, within=0.04), INCONCLUSIVE),
        (lower("a", "b"), seen(1.08, p=0.2, within=0.1), REFUTED),  # if anything, higher
        (lower("a", "b"), seen(0.8, n=5), INCONCLUSIVE),
        # a is slightly lower
        (lower("a", "b", None, 0.25), seen(0.9), SUPPORTED),
        (lower("a", "b", None, 0.25), seen(0.5), REFUTED),
        (lower("a", "b", None, 0.25), seen(0.8), INCONCLUSIVE),  # the interval reaches beyond
        # a is much lower
        (lower("a", "b", 0.5), seen(0.4), SUPPORTED),
        (lower("a", "b", 0.5), seen(0.9), REFUTED),
        (lower("a", "b", 0.5), seen(0.66), INCONCLUSIVE),
        (lower("a", "b", 0.02), seen(0.98, p=0.2, within=0.02), INCONCLUSIVE),
        # nothing is refuted by what a noisy machine may hide
        (lower("a", "b"), seen(1.0, p=0.9, floor=0.6), INCONCLUSIVE),
        (lower("a", "b"), seen(1.2, p=0.2, floor=0.6), INCONCLUSIVE),
        (lower("a", "b"), seen(1.8, floor=0.6), REFUTED),
        (lower("a", "b", 0.3), seen(0.8, floor=0.6), INCONCLUSIVE),
        (lower("a", "b", 0.8), seen(0.9, floor=0.6), REFUTED),
        # they are close
        (close(0.1), seen(1.03), SUPPORTED),
        (close(0.1), seen(1.3), REFUTED),
        (close(0.1), seen(1.08, within=0.05), INCONCLUSIVE),
        (close(0.1), seen(1.0, p=0.9, floor=0.2), INCONCLUSIVE),  # on this machine nobody can say
        (close(0.1), seen(1.3, p=0.2), INCONCLUSIVE),
        # no other is lower by more than 10 %
        (PairRange(left="a", right="b", high=math.log1p(0.1)), seen(0.5), SUPPORTED),
        (PairRange(left="a", right="b", high=math.log1p(0.1)), seen(1.5), REFUTED),
    ],
)
def test_the_rule(said: PairRange, measured: Compared, verdict: ClaimVerdict) -> None:
    assert judge_range(said, measured).verdict is verdict


measurements = st.builds(
    seen,
    st.floats(0.2, 5.0),
    within=st.floats(0.0005, 0.5),
    floor=st.floats(0.0, 0.2),
    p=st.floats(0.0001, 1.0),
    n=st.integers(4, 12),
)
sizes = st.floats(0.01, 1.0)


@st.composite
def lowers(draw: st.DrawFn) -> PairRange:
    """a is lower than b: at all, or by so much at least, at most, or both."""
    least, most = sorted(draw(st.lists(sizes, min_size=2, max_size=2, unique=True)))
    return lower(
        "a", "b", draw(st.sampled_from([None, least])), draw(st.sampled_from([None, most]))
    )


def mirrored(said: PairRange) -> PairRange:
    """Higher in place of lower."""
    return PairRange(left=said.left, right=said.right, low=-said.high, high=-said.low)


directed = lowers() | lowers().map(mirrored)
claims = directed | sizes.map(close)


@st.composite
def excluding(draw: st.DrawFn) -> list[PairRange]:
    """Two claims that cannot both hold: one ends where the other begins, or before."""
    ends = st.just(0.0) | st.floats(-0.7, 0.7)
    first, second, third, fourth = sorted(draw(st.lists(ends, min_size=4, max_size=4, unique=True)))
    below = PairRange(
        left="a", right="b", low=draw(st.sampled_from([-math.inf, first])), high=second
    )
    above = PairRange(
        left="a",
        right="b",
        low=draw(st.sampled_from([second, third])),
        high=draw(st.sampled_from([fourth, math.inf])),
    )
    return draw(st.permutations([below, above]))


@given(said=claims, measured=measurements)
def test_swapping_the_sides_changes_nothing(said: PairRange, measured: Compared) -> None:
    here, there = judge_range(said, measured), judge_range(said.swapped(), measured.swapped())
    assert here.verdict is there.verdict
    assert here.why == there.why
    if here.effect and there.effect:
        assert here.effect.value == pytest.approx(1 / there.effect.value)


@given(pair=excluding(), measured=measurements)
def test_two_claims_that_exclude_each_other_are_never_both_supported(
    pair: list[PairRange], measured: Compared
) -> None:
    verdicts = [judge_range(said, measured).verdict for said in pair]
    assert verdicts != [SUPPORTED, SUPPORTED]


@given(measured=measurements)
def test_lower_and_higher_are_contrary(measured: Compared) -> None:
    said = lower("a", "b")
    contrary = lower("b", "a").swapped()
    one, other = (judge_range(each, measured).verdict for each in (said, contrary))
    assert (one is SUPPORTED) <= (other is REFUTED)
    assert (other is SUPPORTED) <= (one is REFUTED)


@given(said=directed, measured=measurements)
def test_what_a_claim_says_more_of_holds_less_often(said: PairRange, measured: Compared) -> None:
    """A claim is never refuted where a stricter one is supported."""
    is_lower = said.high <= 0
    wider = PairRange(left="a", right="b", **({"high": 0.0} if is_lower else {"low": 0.0}))
    if judge_range(said, measured).verdict is SUPPORTED:
        assert judge_range(wider, measured).verdict is SUPPORTED
