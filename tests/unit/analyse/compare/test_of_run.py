"""The pairs of a run, and what its looks leave to spend."""

import pandas as pd
import pytest

from python_runner.analyse.compare import alpha_of_run, look_alpha, pairs_of_run
from tests.golden.cases import CASES
from tests.golden.frames import FOUR, build_frames


def test_every_pair_once_the_slower_stack_left() -> None:
    pairs = pairs_of_run(*build_frames(FOUR))
    assert len(pairs) == 6
    assert (pairs["median_left"] >= pairs["median_right"]).all()
    assert set(pairs["stack_right"][:3]) == {"transformers"}
    assert set(pairs["alpha"]) == {0.05}


@pytest.mark.parametrize("case", ["one", "only failures", "nothing started"])
def test_without_two_stacks_there_is_no_pair(case: str) -> None:
    assert pairs_of_run(*CASES[case]()).empty


def test_a_stack_without_a_figure_is_in_no_pair() -> None:
    pairs = pairs_of_run(*CASES["troubled"]())
    assert "transformers" not in {*pairs["stack_left"], *pairs["stack_right"]}


def test_a_run_that_was_looked_at_once_may_spend_all() -> None:
    samples = build_frames().samples
    assert alpha_of_run(samples, {"looks": None}) == 0.05


def test_every_look_is_paid_for() -> None:
    samples = build_frames(iterations=10).samples
    looks = {"looks": {"at": [5, 10], "limit": 20}}
    assert alpha_of_run(samples, looks) == look_alpha([5, 10], 20) < 0.05


def test_a_run_that_was_broken_off_is_looked_at_now() -> None:
    samples = build_frames(iterations=10).samples
    broken_off = {"looks": {"at": [5], "limit": 20}}
    assert alpha_of_run(samples, broken_off) == look_alpha([5, 10], 20)


def test_a_run_that_has_just_begun_has_no_look() -> None:
    empty = build_frames().samples.iloc[:0]
    assert alpha_of_run(empty, {"looks": {"at": [], "limit": 20}}) == 0.05
    assert isinstance(empty, pd.DataFrame)
