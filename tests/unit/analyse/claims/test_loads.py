"""Claims about loads: judged at their number of users, or at every one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from python_runner.analyse.claims import (
    ClaimVerdict,
    Finding,
    RunFrames,
    RunJudgement,
    Unit,
    judge_claims,
)
from python_runner.analyse.compare.blocks import Cells
from python_runner.analyse.compare.permutation import compare_family
from python_runner.analyse.load.batches import batch_count, batch_means, seconds_for
from python_runner.study import Claims, load_claims
from tests.unit.analyse.claims.load_runs import Server, queue, run_of
from tests.unit.load_builders import opened

SUPPORTED, REFUTED, INCONCLUSIVE = ClaimVerdict
SLOW = Server(name="slow", prefill_ms=75, gap_ms=15)
FAST = Server(name="fast")


def judge(run: RunFrames, *tests: dict[str, Any], **more: Any) -> RunJudgement:
    names = ("slow", "fast", "other")
    claims = Claims.model_validate(
        {
            "title": "t",
            "source": "s",
            "stacks": {name: {"title": name, "engines": [name]} for name in names},
            "claims": [{"id": "1", "says": "x", "tests": list(tests)}],
        }
    )
    return judge_claims(claims, run, resamples=999, **more)


def one(run: RunFrames, **test: Any) -> Finding:
    (judged,) = judge(run, test).judged
    return judged.parts[0].finding


LOWER = {"kind": "lower", "metric": "ttft", "left": "fast", "right": "slow", "users": 10}


def test_a_difference_at_a_number_of_users_is_judged() -> None:
    run = run_of(SLOW, FAST)
    found = one(run, **LOWER)
    assert found.verdict is SUPPORTED
    assert found.effect is not None
    assert found.effect.of == "Fast at 10 users / Slow at 10 users"
    assert found.effect.low < 1 / 1.5 < found.effect.high
    assert found.effect.blocks == 10
    assert found.effect.noise_floor == 0.1
    assert one(run, **LOWER | {"kind": "higher"}).verdict is REFUTED
    assert one(run, **LOWER, at_most=0.25).verdict is REFUTED


@pytest.mark.parametrize("metric", ["e2e", "tpot", "ttft"])
def test_less_than_another_load_may_bring_is_no_difference(metric: str) -> None:
    run = run_of(replace(SLOW, prefill_ms=52, gap_ms=10.4), FAST)
    found = one(run, **LOWER | {"metric": metric})
    assert found.verdict is REFUTED
    assert "no room for 10 %" in found.why


def test_a_claim_without_a_number_of_users_has_to_hold_at_each() -> None:
    everywhere = {name: value for name, value in LOWER.items() if name != "users"}
    both = run_of(replace(SLOW, users=(5, 10)), replace(FAST, users=(5, 10)))
    assert one(both, **everywhere).verdict is SUPPORTED
    turns = replace(FAST, users={5: 1.0, 10: 3.0})
    found = one(run_of(replace(SLOW, users=(5, 10)), turns), **everywhere)
    assert found.verdict is REFUTED
    assert found.effect is not None
    assert "at 10 users" in found.effect.of


def test_tokens_of_all_users_are_judged() -> None:
    run = run_of(SLOW, FAST)
    tgr = {"metric": "tgr", "left": "fast", "users": 10}
    assert one(run, kind="highest", of=["slow"], **tgr).verdict is SUPPORTED
    assert one(run, kind="lowest", of=["slow"], **tgr).verdict is REFUTED
    assert one(run, kind="close", right="slow", within=0.6, **tgr).verdict is SUPPORTED
    # 4 slots, each with 5 tokens in 90 ms
    found = one(run, kind="bound", at_least=200, at_most=240, **tgr)
    assert found.verdict is SUPPORTED
    assert found.effect is not None
    assert found.effect.unit is Unit.TOKENS_PER_S
    assert one(run, kind="bound", at_least=240, **tgr).verdict is REFUTED


def test_a_limit_is_held_against_every_request_or_their_median() -> None:
    run = run_of(FAST)
    bound = {"kind": "bound", "metric": "ttft", "left": "fast", "users": 10}
    # 10 users before 4 slots: an answer of 90 ms comes after 225 ms, 40 ms after its first token.
    assert one(run, at_most=400, **bound).verdict is SUPPORTED
    assert one(run, at_most=184, **bound).verdict is REFUTED
    median = one(run, at_least=150, at_most=220, over="median", **bound)
    assert median.verdict is SUPPORTED
    there = one(run, at_most=400, machine="theirs", **bound)
    assert there.verdict is INCONCLUSIVE


def test_a_rise_is_the_stack_beside_itself() -> None:
    run = run_of(replace(FAST, users=(5, 20)))
    rise = {"kind": "rises", "metric": "ttft", "left": "fast", "from_users": 5, "users": 20}
    found = one(run, at_least=1, **rise)
    assert found.verdict is SUPPORTED
    assert found.effect is not None
    assert found.effect.of == "Fast at 20 users / Fast at 5 users"
    assert one(run, at_least=9, **rise).verdict is REFUTED
    lacking = judge(run, {**rise, "users": 100, "at_least": 1})
    assert lacking.judged[0].verdict is INCONCLUSIVE
    assert "no load of 100 users" in lacking.judged[0].deciding.why
    assert lacking.users == (5, 100)


def test_a_load_that_is_too_short_says_how_long_it_has_to_be() -> None:
    run = run_of(replace(SLOW, each=6), replace(FAST, each=6))
    judgement = judge(run, LOWER)
    found = judgement.judged[0].deciding
    assert found.verdict is INCONCLUSIVE
    assert "too short to tell" in found.why
    assert judgement.seconds == seconds_for(0.3375)  # 10 users before 4 slots, 135 ms each


def test_a_number_of_users_that_was_not_there_is_named() -> None:
    judgement = judge(run_of(SLOW, FAST), {**LOWER, "users": 50})
    assert judgement.judged[0].verdict is INCONCLUSIVE
    assert judgement.users == (50,)
    nothing_in_common = run_of(replace(SLOW, users=(5,)), FAST)
    test = {name: value for name, value in LOWER.items() if name != "users"}
    assert "no number of users in common" in one(nothing_in_common, **test).why


def test_a_stack_that_was_not_run_is_named_and_one_pair_refutes() -> None:
    run = run_of(SLOW, FAST)
    lowest = {"kind": "lowest", "metric": "ttft", "users": 10}
    judgement = judge(run, {**lowest, "left": "fast", "of": ["slow", "other"]})
    assert judgement.judged[0].verdict is INCONCLUSIVE
    assert judgement.missing == ("other",)
    assert one(run, left="slow", of=["fast", "other"], **lowest).verdict is REFUTED


def test_requests_that_failed_are_told_and_that_it_was_measured_once() -> None:
    judgement = judge(run_of(SLOW, replace(FAST, failing=3)), LOWER)
    assert any("Fast at 10 users: 3 of" in mark for mark in judgement.judged[0].marks)
    assert any("measured once" in mark for mark in judgement.marks)


def test_an_ablation_of_the_same_load_tests_a_cause() -> None:
    off = replace(SLOW, name="slow@gogc=off", prefill_ms=52, gap_ms=10.4)
    run = run_of(SLOW, FAST, off)
    cause = {
        "kind": "cause",
        "metric": "e2e",
        "users": 10,
        "left": "slow",
        "right": ["fast"],
        "with_cause": "slow",
        "without": "slow@gogc=off",
    }
    assert one(run, **cause).verdict is SUPPORTED
    lacking = one(run_of(SLOW, FAST), **cause)
    assert lacking.verdict is INCONCLUSIVE
    assert "needs its ablation" in lacking.why
    other = run_of(SLOW, off, run_id=2)
    (judged,) = judge(run_of(SLOW, FAST), cause, ablations=[other]).judged
    assert judged.verdict is SUPPORTED


def test_single_iterations_and_open_loops_are_not_judged() -> None:
    run = run_of(SLOW, FAST)
    share = {"kind": "in-iterations", "left": "fast", "right": "slow", "share": 0.9}
    assert one(run, **share).verdict is INCONCLUSIVE
    rates = run.levels.assign(arrivals=opened().arrivals.value, users=np.nan)
    assert "no level with a number of users" in one(replace(run, levels=rates), **LOWER).why


def test_the_other_studies_claims_are_judged_where_their_stacks_are_there() -> None:
    path = Path(__file__).parents[3] / "data" / "other-studies.claims.toml"
    users = (10, 50)
    run = run_of(
        Server(name="vllm", prefill_ms=30, gap_ms=10, users=users, slots=8, each=30),
        Server(name="lmdeploy", prefill_ms=60, gap_ms=20, users=users, slots=8, each=30),
        Server(name="mlc-llm", prefill_ms=65, gap_ms=22, users=users, slots=8, each=30),
    )
    judgement = judge_claims(load_claims(str(path)), run, resamples=999)
    found = {judged.claim.id: judged.verdict for judged in judgement.judged}
    # 2-2 and 2-3 exclude each other; 2-4 is about another model; the rest was not run.
    assert {one: found[one] for one in ("2-1", "2-2", "2-3", "2-4")} == {
        "2-1": REFUTED,
        "2-2": REFUTED,
        "2-3": SUPPORTED,
        "2-4": INCONCLUSIVE,
    }
    assert "tensorrt-llm" in judgement.missing or found["2-5"] is INCONCLUSIVE


def test_batches_are_long_and_many_enough() -> None:
    assert batch_count(60.0, 1.0, 600) == 10
    assert batch_count(14.0, 1.0, 600) == 7
    assert batch_count(60.0, 1.0, 20) == 6
    assert batch_count(60.0, 1.0, None) == 10
    assert batch_count(60.0, float("nan"), 0) == 0
    assert batch_means(np.arange(6.0), 3).tolist() == [0.5, 2.5, 4.5]


@pytest.mark.parametrize(("users", "slots"), [(4, 4), (10, 4), (10, 1)])
@pytest.mark.parametrize("noise", [0.03, 0.3])
def test_two_loads_of_one_server_are_rarely_told_apart(
    users: int, slots: int, noise: float
) -> None:
    """False alarms of the rule, and coverage of the interval, where requests share a queue."""
    rng = np.random.default_rng(5)
    each, runs = 30, 200
    means = np.array(
        [[_means(users, slots, each, noise, rng) for _ in ("left", "right")] for _ in range(runs)]
    )
    ones = np.ones(means.shape[2], dtype=np.int64)
    cells = Cells(values=np.moveaxis(means, 1, 2), n_left=ones, n_right=ones)
    found = compare_family({(0, 1): cells}, resamples=999)[0, 1]
    alarms, is_large = found.p <= 0.05, np.abs(found.effect) > np.log1p(0.1)
    assert (alarms & is_large).mean() <= 0.05
    if noise > 0.1:
        assert alarms.mean() <= 0.09
        assert (np.abs(found.effect) <= found.half_width).mean() >= 0.91
    else:  # users who march in step are told apart too often, and by next to nothing
        assert np.abs(found.effect).max() < 0.05


def _means(
    users: int, slots: int, each: int, noise: float, rng: np.random.Generator
) -> np.ndarray[Any, Any]:
    sent, firsts = queue(
        users=users,
        slots=slots,
        each=each,
        prefill_ms=50.0,
        decode_ms=40.0,
        noise=noise,
        rng=rng,
    )
    ttft = np.array(firsts) - np.array([when for when, _ in sent])
    return batch_means(np.log(ttft[2 * users : -users]), 10)
