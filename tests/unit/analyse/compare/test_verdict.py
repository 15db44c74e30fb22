"""The rule, case by case."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.compare import Reason, Verdict, decide

LOG = np.log


def rule(
    ratio: float, *, wide: float = 0.02, p: float = 0.001, floor: float = 0.01, n: int = 10
) -> tuple[str, str]:
    verdict, reason = decide(effect=LOG(ratio), half_width=wide, p_holm=p, floor=floor, n_fewest=n)
    return verdict.item(), reason.item()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (rule(1.10), (Verdict.SLOWER, Reason.CLEAR)),
        (rule(0.90), (Verdict.FASTER, Reason.CLEAR)),
        (rule(0.90, p=0.06), (Verdict.NOT_KNOWN, Reason.CHANCE)),
        (rule(1.005), (Verdict.NO_DIFFERENCE, Reason.BELOW_FLOOR)),
        (rule(1.005, p=0.6), (Verdict.NO_DIFFERENCE, Reason.BELOW_FLOOR)),
        (rule(1.005, p=0.6, wide=0.2), (Verdict.NOT_KNOWN, Reason.TOO_WIDE)),
        (rule(1.06, floor=0.09), (Verdict.NO_DIFFERENCE, Reason.BELOW_FLOOR)),
        (rule(1.06, floor=0.1), (Verdict.NO_DIFFERENCE, Reason.BELOW_FLOOR)),
        (rule(1.00, floor=0.11), (Verdict.NOT_KNOWN, Reason.TOO_NOISY)),
        (rule(1.15, floor=0.2), (Verdict.NOT_KNOWN, Reason.TOO_NOISY)),
        (rule(1.5, floor=0.6), (Verdict.NOT_KNOWN, Reason.TOO_NOISY)),
        (rule(1.0, floor=0.6, wide=0.5), (Verdict.NOT_KNOWN, Reason.TOO_NOISY)),
        (rule(1.08, floor=0.09, wide=0.05), (Verdict.NOT_KNOWN, Reason.TOO_WIDE)),
        (rule(2.00, n=5), (Verdict.NOT_KNOWN, Reason.TOO_FEW)),
        (rule(float("nan"), p=float("nan")), (Verdict.NOT_KNOWN, Reason.TOO_FEW)),
    ],
)
def test_the_rule(found: tuple[str, str], expected: tuple[str, str]) -> None:
    assert found == expected


def test_a_rate_that_is_higher_is_faster() -> None:
    verdict, _ = decide(
        effect=LOG(1.1),
        half_width=0.01,
        p_holm=0.001,
        floor=0.0,
        n_fewest=10,
        lower_is_faster=False,
    )
    assert verdict.item() == Verdict.FASTER


def test_many_at_once() -> None:
    verdicts, _ = decide(
        effect=np.array([0.1, -0.1, 0.0]), half_width=0.01, p_holm=0.001, floor=0.01, n_fewest=10
    )
    assert verdicts.tolist() == ["slower", "faster", "no difference"]


@given(
    effect=st.floats(-1, 1),
    half_width=st.floats(0, 1),
    p=st.floats(0, 1),
    floor=st.floats(0, 0.3),
    n=st.integers(0, 20),
)
def test_swapping_the_sides_swaps_the_words(
    effect: float, half_width: float, p: float, floor: float, n: int
) -> None:
    swapped = {"faster": "slower", "slower": "faster"}
    here, there = (
        decide(effect=one, half_width=half_width, p_holm=p, floor=floor, n_fewest=n)[0].item()
        for one in (effect, -effect)
    )
    assert there == swapped.get(here, here)


@given(effect=st.floats(-1, 1), wide=st.floats(0, 1), p=st.floats(0, 1), floor=st.floats(0, 100))
def test_no_noise_makes_equal_what_may_differ_by_ten_per_cent(
    effect: float, wide: float, p: float, floor: float
) -> None:
    verdict, _ = decide(effect=effect, half_width=wide, p_holm=p, floor=floor, n_fewest=10)
    if verdict.item() == Verdict.NO_DIFFERENCE:
        assert abs(effect) + wide <= np.log1p(0.1)
        assert abs(effect) <= np.log1p(floor) <= np.log1p(0.1)


@given(effect=st.floats(-1, 1), p=st.floats(0, 1), floor=st.floats(0, 0.3))
def test_a_claim_needs_both_more_than_the_floor_and_a_small_p(
    effect: float, p: float, floor: float
) -> None:
    verdict, _ = decide(effect=effect, half_width=0.01, p_holm=p, floor=floor, n_fewest=10)
    if verdict.item() in (Verdict.FASTER, Verdict.SLOWER):
        assert p <= 0.05
        assert abs(effect) > np.log1p(floor)
