import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.compare import holm
from python_runner.analyse.compare.family import independent_pairs

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def test_by_hand() -> None:
    # 3 * 0.01, then max(2 * 0.02, before), then max(1 * 0.03, before)
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])


def test_never_above_one() -> None:
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]


def test_a_test_that_was_not_done_does_not_count() -> None:
    found = holm([0.01, np.nan, 0.04])
    assert found[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(found[1])


def test_families_side_by_side() -> None:
    assert holm([[0.01, 0.02], [0.04, 0.5]]) == pytest.approx(np.array([[0.02, 0.02], [0.08, 0.5]]))


@given(P_VALUES)
def test_keeps_the_order_and_lies_between_raw_and_bonferroni(raw: list[float]) -> None:
    found = holm(raw)
    assert (found >= np.array(raw) - 1e-12).all()
    assert (found <= np.minimum(1, len(raw) * np.array(raw)) + 1e-12).all()
    assert (np.diff(found[np.argsort(raw)]) >= -1e-12).all()


@given(P_VALUES)
def test_the_order_of_the_questions_does_not_matter(raw: list[float]) -> None:
    assert holm(raw[::-1])[::-1] == pytest.approx(holm(raw))


def test_independent_pairs() -> None:
    assert independent_pairs([(0, 1), (0, 2), (1, 2)]) == 2
    assert independent_pairs([(0, 1), (2, 3)]) == 2
    assert independent_pairs([(0, 1), (2, 3), (1, 2)]) == 3
    assert independent_pairs([]) == 0
