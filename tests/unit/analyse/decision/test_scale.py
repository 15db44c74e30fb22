"""From a number to what it is worth."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.decision.scale import SHARE, Direction, ratio_scale

POSITIVE = st.floats(min_value=1e-6, max_value=1e9)


def test_by_ratio_the_best_is_worth_one_and_the_span_zero() -> None:
    scale = ratio_scale(Direction.LOWER, 10, values=[20.0, 5.0, math.nan])
    assert scale is not None
    assert scale.utility(5) == 1
    assert scale.utility(50) == pytest.approx(0)
    assert scale.utility(5 * math.sqrt(10)) == pytest.approx(0.5)
    assert (scale.utility(1), scale.utility(500), scale.utility(0)) == (1, 0, 1)


def test_the_same_of_rates() -> None:
    scale = ratio_scale(Direction.HIGHER, 10, values=[20.0, 200.0])
    assert scale is not None
    assert scale.utility(200) == 1
    assert scale.utility(20) == pytest.approx(0)
    assert scale.utility(0) == 0


def test_a_target_is_worth_nothing_and_a_tenth_of_it_all() -> None:
    scale = ratio_scale(Direction.LOWER, 10, values=[7.0], limit=1000)
    assert scale is not None
    assert (scale.utility(1000), scale.utility(100)) == (0, 1)


def test_below_the_floor_nothing_differs() -> None:
    scale = ratio_scale(Direction.LOWER, 100, values=[0.0, 40.0], floor=100)
    assert scale is not None
    assert scale.utility(0) == scale.utility(40) == scale.utility(100) == 1
    assert scale.utility(10_000) == pytest.approx(0)


def test_without_a_value_there_is_no_scale() -> None:
    assert ratio_scale(Direction.LOWER, 10, values=[math.nan]) is None
    assert ratio_scale(Direction.HIGHER, 10, values=[0.0]) is None
    assert ratio_scale(Direction.LOWER, 10, values=[0.0]) is None


@given(st.lists(POSITIVE, min_size=1), POSITIVE, POSITIVE)
def test_a_lower_value_is_never_worth_less(values: list[float], one: float, other: float) -> None:
    scale = ratio_scale(Direction.LOWER, 10, values=values)
    assert scale is not None
    assert 0 <= scale.utility(max(one, other)) <= scale.utility(min(one, other)) <= 1


@given(st.lists(POSITIVE, min_size=1), POSITIVE, st.floats(min_value=1e-3, max_value=1e3))
def test_units_do_not_matter(values: list[float], value: float, factor: float) -> None:
    plain = ratio_scale(Direction.LOWER, 10, values=values)
    scaled = ratio_scale(Direction.LOWER, 10, values=[each * factor for each in values])
    assert plain is not None
    assert scaled is not None
    assert scaled.utility(value * factor) == pytest.approx(plain.utility(value), abs=1e-9)


def test_a_share_is_its_own_worth() -> None:
    assert (SHARE.utility(0.25), SHARE.utility(-1), SHARE.utility(2)) == (0.25, 0, 1)
