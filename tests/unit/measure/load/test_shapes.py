"""When requests are due."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_runner.common.clock import NS_PER_S
from python_runner.common.errors import UsageError
from python_runner.measure.load.level import Arrivals
from python_runner.measure.load.shapes import arrivals_s, shape_of, streams_of
from tests.unit.load_builders import closed, opened


def offsets(column: bytes | None) -> list[int]:
    assert column is not None
    return [int(value) for value in np.frombuffer(column, dtype="<i8")]


def test_users_begin_at_once() -> None:
    shape = shape_of(closed(users=3, requests=9, duration_s=None), seed=1)
    assert (shape.users, shape.starts_ns, shape.requests) == (3, None, 9)
    assert shape.arrivals_ns is None


def test_users_of_a_ramp_begin_at_even_distances() -> None:
    shape = shape_of(closed(users=4, ramp_s=2.0), seed=1)
    assert offsets(shape.starts_ns) == [0, NS_PER_S // 2, NS_PER_S, 3 * NS_PER_S // 2]


def test_constant_arrivals() -> None:
    shape = shape_of(opened(rate=4.0, duration_s=1.0), seed=1)
    assert offsets(shape.arrivals_ns) == [0, NS_PER_S // 4, NS_PER_S // 2, 3 * NS_PER_S // 4]
    assert shape.users is None


def test_a_count_ends_arrivals_too() -> None:
    assert arrivals_s(opened(rate=10.0, requests=3, duration_s=None), seed=1).size == 3
    assert arrivals_s(opened(rate=10.0, requests=300, duration_s=1.0), seed=1).size == 10


@given(rate=st.floats(0.5, 200), seconds=st.floats(1, 30), seed=st.integers(0, 99))
@settings(max_examples=40)
def test_poisson_arrivals_are_ascending_and_within_the_time(
    rate: float, seconds: float, seed: int
) -> None:
    due = arrivals_s(opened(rate=rate, duration_s=seconds, arrivals=Arrivals.POISSON), seed=seed)
    assert np.all(np.diff(due) >= 0)
    assert due.size == 0 or 0 <= due[0] <= due[-1] < seconds
    assert abs(due.size - rate * seconds) <= 8 * np.sqrt(rate * seconds) + 3


def test_gaps_of_poisson_arrivals_are_exponential() -> None:
    level = opened(rate=50.0, requests=20_000, duration_s=None, arrivals=Arrivals.POISSON)
    gaps = np.diff(arrivals_s(level, seed=7))
    assert np.mean(gaps) == pytest.approx(0.02, rel=0.03)
    assert np.std(gaps) == pytest.approx(0.02, rel=0.05)


def test_the_seed_decides() -> None:
    level = opened(arrivals=Arrivals.POISSON)
    assert np.array_equal(arrivals_s(level, seed=3), arrivals_s(level, seed=3))
    assert not np.array_equal(arrivals_s(level, seed=3)[:5], arrivals_s(level, seed=4)[:5])


def test_a_ramp_has_half_the_arrivals_of_its_time() -> None:
    due = arrivals_s(opened(rate=100.0, duration_s=4.0, ramp_s=2.0), seed=1)
    assert np.count_nonzero(due < 2.0) == pytest.approx(100, abs=1)
    assert np.count_nonzero(due >= 2.0) == pytest.approx(200, abs=1)
    assert np.all(np.diff(due) > 0)


def test_a_rate_at_which_nothing_comes_is_refused() -> None:
    nothing = opened(rate=0.001, duration_s=1.0, arrivals=Arrivals.POISSON)
    with pytest.raises(UsageError, match="none comes within 1 s"):
        shape_of(nothing, seed=1)


def test_more_requests_than_memory_holds_are_refused() -> None:
    with pytest.raises(UsageError, match="1000000000 requests"):
        shape_of(opened(rate=1e6, duration_s=1000.0), seed=1)


def test_connections_follow_from_rate_and_length() -> None:
    few = shape_of(opened(rate=10.0), seed=1, expected_s=0.01).connections
    many = shape_of(opened(rate=10.0), seed=1, expected_s=2.0).connections
    assert (few, many) == (4, 40)
    assert streams_of(opened(rate=10.0), expected_s=2.0) == 20
    assert streams_of(closed(users=7), expected_s=2.0) == 7
