"""The simulated runs are what they say, and the benchmark runs."""

import numpy as np
import pytest

from python_runner.common.progress import SilentProgress
from python_runner.run.bench_statistics import LAYOUTS, alternatives, prove
from python_runner.run.bench_statistics.machine import AS_SEEN, INDEPENDENT, Machine
from python_runner.run.bench_statistics.simulate import Layout, simulate


def test_a_steady_drift_harms_all_stacks_alike_in_two_mirrored_blocks() -> None:
    means = Layout(blocks=2, per_block=5).starts().mean(axis=(1, 2))
    assert means == pytest.approx(np.full(4, means[0]))


@pytest.mark.parametrize("machine", [AS_SEEN, INDEPENDENT])
def test_ten_iterations_in_a_row_scatter_as_much_as_was_asked_for(machine: Machine) -> None:
    layout = Layout(stacks=1, blocks=1, per_block=10)
    values = simulate(layout, machine, 4_000, np.random.default_rng(0)).values
    spread = np.sqrt(values.var(axis=3, ddof=1).mean())
    assert spread == pytest.approx(0.03, rel=0.05)


def test_the_first_stack_is_slower_by_what_was_asked_for() -> None:
    rng = np.random.default_rng(0)
    values = simulate(LAYOUTS[0], INDEPENDENT, 2_000, rng, slower=0.1).values
    assert (values[:, 0] - values[:, 1]).mean() == pytest.approx(np.log(1.1), abs=0.002)


def test_the_benchmark_gives_shares_and_says_which_are_asked_for() -> None:
    figures = list(prove(runs=20, progress=SilentProgress()))
    assert {figure.runs for figure in figures} == {20}
    asked = [figure for figure in figures if figure.asked]
    assert len(asked) >= 8
    assert all(0 <= figure.value <= 1 for figure in asked)


def test_the_other_ways_stand_beside_the_one_in_use() -> None:
    tried = list(alternatives(LAYOUTS[:1], runs=20, progress=SilentProgress()))
    assert tried[0].method == "in use"
    assert len({one.method for one in tried}) == len(tried) > 5
