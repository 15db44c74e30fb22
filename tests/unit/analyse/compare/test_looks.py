import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.compare import Next, look, look_alpha
from python_runner.analyse.compare.looks import spent


def table(*intervals: tuple[float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(intervals, columns=["ratio", "ratio_low", "ratio_high"])


def test_a_single_look_at_the_end_spends_everything() -> None:
    assert look_alpha([40], 40) == pytest.approx(0.05)


def test_the_first_of_four_by_hand() -> None:
    assert look_alpha([10], 40) == pytest.approx(0.05 * math.log(1 + (math.e - 1) / 4))


@given(st.sets(st.integers(1, 200), min_size=1, max_size=12))
def test_all_looks_together_never_spend_more_than_was_there(stops: set[int]) -> None:
    looks = sorted(stops)
    parts = [look_alpha(looks[: number + 1], looks[-1]) for number in range(len(looks))]
    assert all(part > 0 for part in parts)
    assert sum(parts) == pytest.approx(0.05)


def test_nothing_is_spent_at_the_start_and_no_more_after_the_end() -> None:
    assert spent(0) == 0
    assert spent(2) == pytest.approx(spent(1)) == pytest.approx(0.05)


@pytest.mark.parametrize("looks", [[], [0], [10, 10], [20, 10], [50]])
def test_looks_that_cannot_be(looks: list[int]) -> None:
    with pytest.raises(ValueError, match="looks must rise"):
        look_alpha(looks, 40)


def test_goes_on_until_the_widest_is_narrow() -> None:
    wide = table((1.0, 0.99, 1.01), (2.0, 1.9, 2.1))
    found = look(wide, target=0.02, iterations=10, limit=40)
    assert found.decision is Next.GO_ON
    assert found.widest == pytest.approx(0.05)
    assert look(wide, target=0.06, iterations=10, limit=40).decision is Next.NARROW


def test_the_limit_ends_it() -> None:
    wide = table((1.0, 0.9, 1.1))
    assert look(wide, target=0.02, iterations=40, limit=40).decision is Next.LIMIT


def test_an_interval_that_is_not_known_is_not_narrow() -> None:
    unknown = table((1.0, 0.99, 1.01), (math.nan, math.nan, math.nan))
    assert look(unknown, target=0.5, iterations=10, limit=40).decision is Next.GO_ON
    assert look(table(), target=0.5, iterations=40, limit=40).decision is Next.LIMIT
