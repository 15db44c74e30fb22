"""The test of a pair, against values worked out by hand and against its own symmetries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_runner.analyse.compare.blocks import LIKENESS, Cells, design_effect, estimate
from python_runner.analyse.compare.permutation import (
    TestResult,
    compare_family,
    permutation_test,
    relabellings,
)


def cells(left: list[list[float]], right: list[list[float]]) -> Cells:
    """Log values of one run, block by block."""
    both = list(zip(left, right, strict=True))
    values = np.zeros((1, len(both), max(len(one) + len(other) for one, other in both)))
    for block, (one, other) in enumerate(both):
        values[0, block, : len(one) + len(other)] = [*one, *other]
    return Cells(
        values=values,
        n_left=np.array([len(one) for one in left]),
        n_right=np.array([len(other) for other in right]),
    )


def run(pair: Cells, *, deff: float = 1.0, alpha: float = 0.05) -> TestResult:
    shuffled = relabellings(pair, 1_999, np.random.default_rng(1))
    return permutation_test(pair, shuffled, np.array([deff]), alpha=alpha)


def noisy(blocks: int, per_block: int, shift: float, seed: int = 0) -> Cells:
    rng = np.random.default_rng(seed)
    values = 0.03 * rng.standard_normal((1, blocks, 2 * per_block))
    values[..., :per_block] += shift
    each = np.full(blocks, per_block)
    return Cells(values=values, n_left=each, n_right=each)


def test_the_estimates_by_hand() -> None:
    # Differences of the blocks: 3 - 1 = 2 and 6 - 2 = 4; each cell spreads by -+ 1.
    found = estimate(cells([[2.0, 4.0], [5.0, 7.0]], [[0.0, 2.0], [1.0, 3.0]]))
    assert found.effect.tolist() == [3.0]
    assert found.between.tolist() == [2.0]
    # Squares within cells: 8, on 4 degrees of freedom: 2; each difference has 2 (1/2 + 1/2).
    assert found.within == pytest.approx(np.array([2.0]))


def test_blocks_count_alike_however_many_iterations_failed() -> None:
    found = estimate(cells([[1.0], [5.0, 5.0, 5.0]], [[0.0, 0.0], [2.0]]))
    assert found.effect.tolist() == [2.0]
    assert found.within.tolist() == [0.0]


def test_what_is_common_to_a_block_does_not_matter() -> None:
    steady = run(cells([[1.0, 1.2], [1.1, 1.3]], [[0.9, 1.1], [1.2, 0.8]]))
    drifted = run(cells([[1.0, 1.2], [8.1, 8.3]], [[0.9, 1.1], [8.2, 7.8]]))
    assert drifted.effect == pytest.approx(steady.effect)
    assert drifted.p == pytest.approx(steady.p)
    assert drifted.half_width == pytest.approx(steady.half_width)


def test_shuffling_stays_within_blocks_and_keeps_the_counts() -> None:
    pair = cells([[1.0, 2.0], [3.0]], [[4.0, 5.0, 6.0], [7.0]])
    contrasts = relabellings(pair, 50, np.random.default_rng(0))
    assert contrasts.shape == (50, 2, 5)
    assert np.allclose(contrasts.sum(axis=2), 0)
    assert ((contrasts > 0).sum(axis=2) == [2, 1]).all()
    assert (contrasts[:, 1, 2:] == 0).all()


def test_a_large_difference_is_found_and_none_is_seldom_found() -> None:
    def found(shift: float) -> int:
        return sum(run(noisy(5, 2, shift, seed)).p[0] <= 0.05 for seed in range(40))

    assert found(0.2) == 40
    assert found(0.0) <= 6


@pytest.mark.parametrize("shift", [0.0, 0.02, 0.035, 0.05, 0.1])
def test_the_interval_leaves_out_zero_just_where_the_test_rejects(shift: float) -> None:
    for seed in range(10):
        found = run(noisy(5, 2, shift=shift, seed=seed))
        assert (found.p[0] <= 0.05) == (abs(found.effect[0]) > found.half_width[0])


def test_a_larger_design_effect_widens() -> None:
    pair = noisy(2, 5, shift=0.05)
    assert run(pair, deff=3.0).half_width[0] > run(pair, deff=1.0).half_width[0]
    assert run(pair, deff=3.0).p[0] >= run(pair, deff=1.0).p[0]


def test_a_smaller_alpha_widens() -> None:
    pair = noisy(5, 2, shift=0.05)
    assert run(pair, alpha=0.01).half_width[0] > run(pair, alpha=0.05).half_width[0]


def test_too_few_shufflings_for_an_alpha_leave_the_interval_open() -> None:
    assert np.isinf(run(noisy(5, 2, shift=0.05), alpha=1e-6).half_width[0])


def test_one_value_of_each_is_no_test() -> None:
    found = run(cells([[1.0]], [[2.0]]))
    assert found.effect[0] == -1.0
    assert np.isnan(found.p[0])
    assert np.isnan(found.half_width[0])


def test_equal_values_are_equal_and_constant_ones_that_differ_differ() -> None:
    same = run(cells([[1.0, 1.0]] * 3, [[1.0, 1.0]] * 3))
    assert same.p[0] == 1.0
    apart = run(cells([[1.0, 1.0]] * 3, [[2.0, 2.0]] * 3))
    assert apart.p[0] == pytest.approx(1 / 2_000)
    assert apart.half_width[0] < 1e-9


@settings(max_examples=30)
@given(
    values=st.lists(st.floats(-1, 1), min_size=20, max_size=20),
    shift=st.floats(-3, 3),
)
def test_a_unit_of_time_changes_nothing(values: list[float], shift: float) -> None:
    grid = np.array(values).reshape(1, 5, 4)
    each = np.full(5, 2)
    here = Cells(values=grid, n_left=each, n_right=each)
    there = Cells(values=grid + shift, n_left=each, n_right=each)
    assert run(here).effect == pytest.approx(run(there).effect, abs=1e-9)
    assert run(here).half_width == pytest.approx(run(there).half_width, abs=1e-6)


def test_the_same_data_always_give_the_same_answer() -> None:
    family = {(0, seed): noisy(5, 2, 0.05, seed) for seed in range(1, 4)}
    first, second = (compare_family(family, resamples=499) for _ in range(2))
    assert [one.p[0] for one in first.values()] == [one.p[0] for one in second.values()]


def test_a_pair_with_one_block_does_not_change_what_the_others_know() -> None:
    family = {(0, seed): noisy(5, 2, 0.05, seed) for seed in range(1, 4)}
    alone = compare_family(family, resamples=499)
    beside = compare_family(family | {(0, 9): noisy(1, 2, 0.05)}, resamples=499)
    assert all(beside[pair].deff == alone[pair].deff for pair in family)


def test_the_design_effect_is_one_where_iterations_are_single_or_independent() -> None:
    single = design_effect(np.array([[2.0]]), np.array([[0.0]]), freedom=9, per_block=1)
    assert single.tolist() == [1.0]
    independent = design_effect(np.array([[1.0]]), np.array([[1.0]]), freedom=1e9, per_block=2)
    assert independent == pytest.approx(np.array([1.0]))


def test_the_design_effect_follows_the_data_and_few_data_follow_the_prior() -> None:
    between, within = np.array([[3.0], [9.0]]), np.array([[1.0], [2.0]])
    many = design_effect(between, within, freedom=1e9, per_block=5)
    assert many == pytest.approx(np.array([4.0]))
    none = design_effect(between, within, freedom=0, per_block=5)
    assert none == pytest.approx(np.array([1 + 4 * LIKENESS]))
