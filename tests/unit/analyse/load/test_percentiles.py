import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from python_runner.analyse.load.percentiles import (
    PERCENTILES,
    effective_size,
    fewest_for,
    percentile_of,
)
from python_runner.analyse.summary import FEWEST_FOR_INTERVAL

values = st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=400).map(sorted)


def nearest_rank(data: list[float], percentile: float) -> float:
    return float(np.percentile(data, percentile, method="inverted_cdf"))


@given(values, st.sampled_from(PERCENTILES))
def test_a_percentile_is_the_nearest_rank(data: list[float], percentile: int) -> None:
    found = percentile_of(np.array(data), percentile)
    assert found.value == nearest_rank(data, percentile)
    assert np.mean(np.array(data) <= found.value) >= percentile / 100
    assert np.mean(np.array(data) < found.value) < percentile / 100


@given(values, st.sampled_from(PERCENTILES))
def test_the_interval_holds_the_percentile_and_is_given_only_if_it_is_sure(
    data: list[float], percentile: int
) -> None:
    found = percentile_of(np.array(data), percentile)
    assert found.is_sure == (len(data) >= fewest_for(percentile))
    if found.is_sure:
        assert found.low <= found.value <= found.high
    else:
        assert np.isnan([found.low, found.high]).all()


@given(values.filter(lambda data: len(data) > 29), st.floats(1, 1e3), st.sampled_from([50, 90]))
def test_shifting_the_values_shifts_the_percentile(
    data: list[float], shift: float, percentile: int
) -> None:
    one = percentile_of(np.array(data), percentile)
    other = percentile_of(np.array(data) + shift, percentile)
    assert [other.value, other.low, other.high] == pytest.approx(
        [one.value + shift, one.low + shift, one.high + shift]
    )


@pytest.mark.parametrize("percentile", PERCENTILES)
def test_the_interval_is_that_of_the_percentile_bootstrap(percentile: int) -> None:
    data = np.sort(np.random.default_rng(1).lognormal(size=700))
    found = percentile_of(data, percentile)
    resampled = stats.bootstrap(
        (data,),
        lambda sample, axis: np.percentile(sample, percentile, axis=axis, method="inverted_cdf"),
        n_resamples=9_999,
        method="percentile",
        rng=np.random.default_rng(2),
    )
    low, high = resampled.confidence_interval
    # The resampled ends may lie a rank beside: that is the chance the closed form does without.
    for exact, drawn in ((found.low, low), (found.high, high)):
        ranks = np.searchsorted(data, [exact, drawn])
        assert abs(int(ranks[0]) - int(ranks[1])) <= 1


def test_how_many_values_a_percentile_takes() -> None:
    assert [fewest_for(percentile) for percentile in PERCENTILES] == [6, 29, 299]
    assert fewest_for(50) == FEWEST_FOR_INTERVAL


def test_gaps_that_all_hang_on_their_request_are_worth_as_many_values_as_there_are_requests() -> (
    None
):
    of_request = np.random.default_rng(3).random(100)
    owners = np.repeat(np.arange(100), 50)
    dependent = of_request[owners] <= 0.5
    assert 80 <= effective_size(dependent, owners, 50) <= 125
    alone = np.random.default_rng(4).random(5_000) <= 0.5
    assert effective_size(alone, owners, 50) > 3_000


def test_one_answer_says_nothing_sure_however_long_it_is() -> None:
    gaps = np.sort(np.random.default_rng(5).random(10_000))
    assert not percentile_of(gaps, 50, np.zeros(10_000, dtype=np.int64)).is_sure


def test_a_known_tail_is_found() -> None:
    """Every 20th gap is 40 ms longer: 5 % of the gaps, so p90 does not see it and p99 does."""
    gaps = np.sort(np.tile([10.0] * 19 + [50.0], 160))
    owners = np.repeat(np.arange(32), 100)
    found = {
        percentile: percentile_of(gaps, percentile, owners[np.argsort(gaps, kind="stable")])
        for percentile in PERCENTILES
    }
    assert {percentile: one.value for percentile, one in found.items()} == {50: 10, 90: 10, 99: 50}


def test_no_value_gives_no_percentile() -> None:
    assert np.isnan(percentile_of(np.empty(0), 50).value)
