"""A cause that a claim names, and what has to go with it."""

from dataclasses import replace

import pytest

from python_runner.analyse.claims import ClaimVerdict
from tests.golden.frames import LLAMA_CPP, OLLAMA, FakeStack, rename
from tests.unit.analyse.claims.judged import (
    GO_OFF,
    INCONCLUSIVE,
    REFUTED,
    RUST,
    SUPPORTED,
    judge,
    part,
    run_of,
)

SLOW_GO = rename(OLLAMA, e2e_s=10.0, noise=0.01)


@pytest.mark.parametrize(
    ("go", "off_s", "verdict", "said"),
    [
        (SLOW_GO, 8.0, SUPPORTED, "at least 50%"),
        (SLOW_GO, 10.0, REFUTED, "nothing gets relevantly lower"),
        (SLOW_GO, 9.4, REFUTED, "less than 50%"),
        (SLOW_GO, 8.8, INCONCLUSIVE, "not clear"),
        (rename(OLLAMA, e2e_s=7.9), 6.5, INCONCLUSIVE, "no such difference to explain"),
        (rename(OLLAMA, e2e_s=7.9), 7.9, REFUTED, "nothing gets relevantly lower"),
    ],
)
def test_a_cause_needs_what_goes_with_it(
    go: FakeStack, off_s: float, verdict: ClaimVerdict, said: str
) -> None:
    off = rename(GO_OFF, e2e_s=off_s, noise=0.01)
    found = part(judge(run_of(LLAMA_CPP, go, off)), "3")
    assert found.verdict is verdict, found.why
    assert said in found.why


def test_an_ablation_of_another_run_counts_under_the_same_conditions_only() -> None:
    run = run_of(LLAMA_CPP, SLOW_GO)
    other = run_of(SLOW_GO, rename(GO_OFF, e2e_s=8.0, noise=0.01), run_id=8)
    found = part(judge(run, ablations=[other]), "3")
    assert found.verdict is SUPPORTED
    assert any("run 8" in mark for mark in found.marks)
    elsewhere = replace(other, run={**other.run, "host": {"cpu": "another"}})
    found = part(judge(run, ablations=[elsewhere]), "3")
    assert found.verdict is INCONCLUSIVE
    assert "run 8 has another processor" in found.why
    threads = replace(other, conditions=other.conditions.assign(threads=1))
    assert "number of threads" in part(judge(run, ablations=[threads]), "3").why


def test_a_cause_that_nothing_can_test_says_so() -> None:
    found = part(judge(run_of(LLAMA_CPP, RUST)), "4", 2)
    assert found.verdict is INCONCLUSIVE
    assert "no variant can test it" in found.why
    assert found.missing == ()
