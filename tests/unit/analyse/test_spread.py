"""Quantiles, honest thinning, and gaps by their place in the answer."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from python_runner.analyse.spread import gaps_by_position, spread_of, thin
from tests.golden.frames import LLAMA_CPP, NEW_TOKENS, build_frames, rename

VALUES = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=400)


def test_quantiles_of_known_values() -> None:
    found = spread_of(range(101))
    assert (found.n, found.low, found.p5, found.p25) == (101, 0, 5, 25)
    assert (found.p50, found.p75, found.p95, found.high) == (50, 75, 95, 100)


def test_nothing_is_not_zero() -> None:
    found = spread_of([float("nan")])
    assert found.n == 0
    assert np.isnan([found.low, found.p50, found.high]).all()


@given(values=VALUES, most=st.integers(2, 50))
def test_thinning_keeps_both_ends_and_the_order(values: list[float], most: int) -> None:
    kept = thin(values, most)
    assert len(kept) == min(len(values), most)
    assert (np.diff(kept) > 0).all()
    shown = np.asarray(values)[kept]
    assert shown.min() == min(values)
    assert shown.max() == max(values)


def test_a_thinned_set_is_spread_as_the_whole() -> None:
    values = np.random.default_rng(1).lognormal(size=20_000)
    shown = values[thin(values, 300)]
    assert np.median(shown) == pytest.approx(np.median(values), rel=0.02)
    assert np.quantile(shown, 0.9) == pytest.approx(np.quantile(values, 0.9), rel=0.03)


def test_each_place_from_the_second_token_on_has_its_gaps() -> None:
    samples = build_frames([rename(LLAMA_CPP, noise=0.0, e2e_s=8.0, ttft_part=0.3)]).samples
    found = gaps_by_position(samples[~samples["is_warmup"]])
    assert found["token_index"].tolist() == list(range(2, NEW_TOKENS + 1))
    assert set(found["n"]) == {10}
    assert found["p50_ms"].to_numpy() == pytest.approx(8000 * 0.7 / (NEW_TOKENS - 1), rel=1e-6)
    assert (found["p25_ms"] <= found["p75_ms"]).all()


def test_tokens_that_came_together_have_no_gap_of_their_own() -> None:
    samples = build_frames([LLAMA_CPP], iterations=1, warmup=0).samples
    stamps = samples["chunk_ns"].iloc[0].copy()
    stamps[3] = stamps[2]
    samples.at[0, "chunk_ns"] = stamps
    assert 4 not in set(gaps_by_position(samples)["token_index"])


def test_without_requests_there_is_no_row() -> None:
    assert isinstance(gaps_by_position(build_frames([]).samples), pd.DataFrame)
    assert gaps_by_position(build_frames([]).samples).empty
