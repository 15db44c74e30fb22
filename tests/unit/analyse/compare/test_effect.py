import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.compare import EffectSize, cliffs_delta, size_of

SAMPLES = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=12)


def test_by_hand() -> None:
    # Of six pairs one is larger, four are smaller, one is a tie.
    assert cliffs_delta([1, 3], [2, 3, 4]) == pytest.approx((1 - 4) / 6)


def test_apart_and_alike() -> None:
    assert cliffs_delta([5, 6], [1, 2]) == 1
    assert cliffs_delta([1, 2], [1, 2]) == 0


def test_failures_are_left_out() -> None:
    assert cliffs_delta([np.nan, 5], [1]) == 1
    assert np.isnan(cliffs_delta([np.nan], [1]))


@given(SAMPLES, SAMPLES, st.floats(0.01, 100))
def test_swapping_turns_the_sign_and_a_unit_changes_nothing(
    left: list[float], right: list[float], unit: float
) -> None:
    delta = cliffs_delta(left, right)
    assert cliffs_delta(right, left) == -delta
    assert cliffs_delta([unit * one for one in left], [unit * one for one in right]) == delta


@pytest.mark.parametrize(
    ("delta", "word"),
    [
        (0.0, EffectSize.NEGLIGIBLE),
        (-0.146, EffectSize.NEGLIGIBLE),
        (0.147, EffectSize.SMALL),
        (-0.33, EffectSize.MEDIUM),
        (0.474, EffectSize.LARGE),
        (-1.0, EffectSize.LARGE),
        (float("nan"), EffectSize.UNKNOWN),
    ],
)
def test_the_words(delta: float, word: EffectSize) -> None:
    assert size_of(delta) is word
