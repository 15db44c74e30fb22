import numpy as np
import pytest

from python_runner.analyse.compare.blocks import Cells
from python_runner.analyse.compare.noise import FloorSource, floor_of, probe_floor


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
