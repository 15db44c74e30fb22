import numpy as np
import pytest

from python_runner.analyse.compare.blocks import Cells
from python_runner.analyse.compare.noise import FloorSource, floor_of, probe_floor, waiting_floor


def probe(left: float, right: float) -> Cells:
    values = np.log(np.array([[[left, left, right, right]] * 2]))
    return Cells(values=values, n_left=np.array([2, 2]), n_right=np.array([2, 2]))


def test_the_largest_difference_that_any_probe_shows() -> None:
    assert probe_floor([probe(1.0, 1.01), probe(1.03, 1.0), probe(2.0, 2.0)]) == pytest.approx(
        np.array([0.03])
    )


def test_where_it_comes_from() -> None:
    assert floor_of([probe(1, 1.01)], in_turns=True).source is FloorSource.PROBE
    assert floor_of([], in_turns=True).source is FloorSource.ASSUMED
    assert floor_of([], in_turns=False).source is FloorSource.ASSUMED_APART


def test_a_probe_cannot_lower_the_floor_of_what_was_not_measured_in_turns() -> None:
    assert floor_of([probe(1, 1.01)], in_turns=False).value == 0.10
    high = floor_of([probe(1, 1.3)], in_turns=False)
    assert high.value == pytest.approx(0.3)
    assert high.source is FloorSource.PROBE


def test_the_stack_that_waited_longest_says_how_much_waiting_may_hide() -> None:
    quiet, crowded = np.ones(10), np.full(10, 3.0)
    assert waiting_floor([quiet, crowded]) == pytest.approx(2.0)
    assert waiting_floor([crowded, crowded]) == pytest.approx(2.0)  # nobody knows who lost more


def test_a_moments_waiting_is_chance_and_half_a_run_is_not() -> None:
    once, half = np.ones(10), np.ones(10)
    once[3], half[5:] = 50.0, 8.0
    assert waiting_floor([once]) == 0.0
    assert waiting_floor([half]) > 1.0


def test_waiting_counts_where_it_is_more_than_what_the_probe_shows() -> None:
    assert floor_of([probe(1, 1.3)], in_turns=True, waiting=2.0).source is FloorSource.WAITING
    assert floor_of([probe(1, 1.3)], in_turns=True, waiting=0.2).source is FloorSource.PROBE
    assert floor_of([probe(1, 1.01)], in_turns=True, waiting=0.03).source is FloorSource.PROBE
    assert floor_of([], in_turns=False, waiting=0.08).source is FloorSource.ASSUMED_APART
