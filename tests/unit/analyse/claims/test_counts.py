"""Shares of iterations: how many of them are independent, and whether intervals cover."""

from itertools import combinations

import numpy as np
import pytest

from python_runner.analyse.claims.counts import independent_iterations, share_interval
from python_runner.analyse.compare.permutation import compare_family
from python_runner.run.bench_statistics.machine import AS_SEEN, INDEPENDENT, WORSE, Machine
from python_runner.run.bench_statistics.simulate import Layout, pair_cells, simulate

LOAD_DECIDES = Machine(name="the load decides", load=3.0)
FIVE, TEN, TWO = (Layout(blocks=n, per_block=10 // n) for n in (5, 10, 2))


def test_a_block_is_worth_one_iteration_at_least_and_all_it_has_at_most() -> None:
    assert independent_iterations(10, blocks=5, design_effect=1.25) == 8
    assert independent_iterations(10, blocks=5, design_effect=8.6) == 5
    assert independent_iterations(10, blocks=5, design_effect=0.5) == 10
    assert independent_iterations(10, blocks=1, design_effect=5.0) == 2
    assert independent_iterations(3, blocks=5, design_effect=2.0) == 3


def test_none_of_ten_in_five_blocks_leaves_room_for_half_and_no_more() -> None:
    worth = independent_iterations(10, blocks=5, design_effect=1e15)
    assert share_interval(0.0, worth) == pytest.approx((0.0, 0.522), abs=5e-4)


@pytest.mark.parametrize("machine", [AS_SEEN, INDEPENDENT, WORSE, LOAD_DECIDES])
@pytest.mark.parametrize("layout", [FIVE, TEN, TWO])
@pytest.mark.parametrize("slower", [0.0, 0.06])
def test_the_interval_holds_the_true_share(machine: Machine, layout: Layout, slower: float) -> None:
    """Of iterations in which the first stack is ahead; the truth from many more runs."""
    rng = np.random.default_rng(3)
    values = simulate(layout, machine, 400, rng, slower=slower).values
    many = simulate(layout, machine, 10_000, rng, slower=slower).values
    truth = float((many[:, 0] < many[:, 1]).mean())
    pairs = {pair: pair_cells(values, *pair) for pair in combinations(range(4), 2)}
    design = compare_family(pairs, resamples=19)[0, 1].deff
    shares = (values[:, 0] < values[:, 1]).mean(axis=(1, 2))
    held = 0
    for share, design_effect in zip(shares, design, strict=True):
        worth = independent_iterations(10, blocks=layout.blocks, design_effect=float(design_effect))
        low, high = share_interval(float(share), worth)
        held += low <= truth <= high
        assert high - low < 0.98
    assert held / len(shares) >= 0.95
