"""What each kind of test asks of a run."""

import pytest

from python_runner.analyse.claims.counts import share_interval
from tests.golden.frames import CPU, LLAMA_CPP, OLLAMA, rename
from tests.unit.analyse.claims.judged import INCONCLUSIVE, REFUTED, SUPPORTED, one, run_of


def test_absolute_figures_stay_on_their_machine() -> None:
    run = run_of(rename(LLAMA_CPP, e2e_s=20.0), OLLAMA)
    test = {"kind": "bound", "left": "llama.cpp", "at_least": 14_000}
    assert one(run, **test).verdict is SUPPORTED
    assert one(run, **test, machine="theirs").verdict is INCONCLUSIVE
    assert one(run, **test, machine="theirs", cpu="EPYC").verdict is INCONCLUSIVE
    assert one(run, **test, machine="ours", cpu=CPU[:20]).verdict is SUPPORTED
    assert one(run, kind="bound", left="ollama", at_least=14_000).verdict is REFUTED
    assert (
        one(run, kind="bound", left="ollama", at_most=8300, over="median").verdict is INCONCLUSIVE
    )


def test_iterations_are_counted_side_by_side() -> None:
    run = run_of(LLAMA_CPP, rename(OLLAMA, e2e_s=9.0))
    test = {"kind": "in-iterations", "left": "llama.cpp", "right": "ollama", "share": 0.9}
    assert one(run, **test).verdict is SUPPORTED
    assert one(run, **test, direction="higher").verdict is REFUTED
    flipped = {**test, "left": "ollama", "right": "llama.cpp"}
    assert one(run, **flipped).verdict is REFUTED
    assert one(run, **flipped, direction="higher").verdict is SUPPORTED


def test_ten_wins_by_a_hair_are_the_machines() -> None:
    hair = rename(LLAMA_CPP, name="ollama", e2e_s=LLAMA_CPP.e2e_s * 1.02, noise=0.001)
    run = run_of(rename(LLAMA_CPP, noise=0.001), hair)
    found = one(run, kind="in-iterations", left="llama.cpp", right="ollama", share=0.9)
    assert found.verdict is INCONCLUSIVE
    assert "10 of 10" in found.why


def test_the_interval_of_a_share_is_that_of_clopper_and_pearson() -> None:
    assert share_interval(0.9, 10) == pytest.approx((0.555, 0.9975), abs=5e-4)
    assert share_interval(0.0, 10) == pytest.approx((0.0, 0.308), abs=5e-4)
    assert share_interval(1.0, 4.5)[1] == 1.0


def test_a_rate_is_judged_as_it_is_said() -> None:
    run = run_of(LLAMA_CPP, rename(OLLAMA, e2e_s=12.0))
    rate = {"metric": "output_tokens_per_s", "left": "llama.cpp"}
    assert one(run, kind="highest", of=["ollama"], **rate).verdict is SUPPORTED
    assert one(run, kind="lower", right="ollama", **rate).verdict is REFUTED


def test_an_order_holds_if_each_step_does() -> None:
    run = run_of(LLAMA_CPP, rename(OLLAMA, e2e_s=12.0))
    assert one(run, kind="order", stacks=["llama.cpp", "ollama"]).verdict is SUPPORTED
    assert one(run, kind="order", stacks=["ollama", "llama.cpp"]).verdict is REFUTED


def test_equal_counts_of_tokens_are_no_fewer_tokens() -> None:
    run = run_of(LLAMA_CPP, OLLAMA)
    found = one(run, kind="lower", metric="output_tokens", left="llama.cpp", right="ollama")
    assert found.verdict is REFUTED
