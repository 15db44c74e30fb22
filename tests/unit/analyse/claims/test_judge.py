"""Claims held against runs, from frames as the store gives them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from python_runner.analyse.claims import (
    ClaimVerdict,
    Finding,
    RunFrames,
    RunJudgement,
    Unit,
    judge_claims,
    not_pooled,
)
from python_runner.analyse.claims.counts import share_interval
from python_runner.study import Claims, load_claims
from tests.golden.frames import (
    CPU,
    LLAMA_CPP,
    MISTRAL_RS,
    OLLAMA,
    TRANSFORMERS,
    FakeStack,
    rename,
)
from tests.unit.analyse.compare.test_pairs import build_frames, in_blocks

SUPPORTED, REFUTED, INCONCLUSIVE = ClaimVerdict
RUST = rename(MISTRAL_RS, name="mistral.rs", title="mistral.rs", e2e_s=7.0, noise=0.01)
SERVER = rename(LLAMA_CPP, name="llama-server", title="llama-server", reach="served")
GO_OFF = rename(OLLAMA, name="ollama@gogc=off", title="Ollama, GOGC off")


def run_of(*stacks: FakeStack, run_id: int = 7, **changes: Any) -> RunFrames:
    frames = in_blocks(build_frames(stacks, run_id=run_id))
    run: dict[Any, Any] = {**frames.runs.to_dict(orient="records")[0], **changes}
    return RunFrames(
        samples=frames.samples,
        conditions=frames.conditions,
        run={str(key): value for key, value in run.items()},
    )


def judge(run: RunFrames, claims: Claims | None = None, **more: Any) -> RunJudgement:
    return judge_claims(claims or load_claims("languages"), run, resamples=999, **more)


def verdicts(judgement: RunJudgement) -> str:
    return "".join(one.verdict.value[0] for one in judgement.judged)


def part(judgement: RunJudgement, claim: str, number: int = 1) -> Finding:
    (judged,) = [one for one in judgement.judged if one.claim.id == claim]
    return judged.parts[number - 1].finding


def claims_with(test: dict[str, Any], stacks: Sequence[str] = ("llama.cpp", "ollama")) -> Claims:
    return Claims.model_validate(
        {
            "title": "t",
            "source": "s",
            "stacks": {name: {"title": name, "engines": [name]} for name in stacks},
            "claims": [{"id": "1", "says": "x", "tests": [test]}],
        }
    )


def one(run: RunFrames, **test: Any) -> Finding:
    return part(judge(run, claims_with(test)), "1")


def test_a_world_in_which_study_one_is_right() -> None:
    slow = rename(TRANSFORMERS, e2e_s=20.0)
    server = rename(SERVER, e2e_s=7.5)
    go = rename(OLLAMA, e2e_s=8.5, noise=0.01)
    off = rename(GO_OFF, e2e_s=7.6, noise=0.01)
    judgement = judge(run_of(server, go, off, RUST, slow))
    # 1: the 14 s are another machine's; 4: nothing tests what the Rust compiler is worth.
    assert verdicts(judgement) == "issis"
    assert part(judgement, "1", 1).verdict is SUPPORTED
    assert part(judgement, "4", 1).verdict is SUPPORTED
    share = part(judgement, "3").effect
    assert share is not None
    assert share.unit is Unit.SHARE
    assert share.low > 0.5
    assert judgement.missing == ()


def test_a_world_in_which_it_is_wrong() -> None:
    judgement = judge(run_of(SERVER, OLLAMA, GO_OFF, rename(RUST, e2e_s=27.0), TRANSFORMERS))
    assert verdicts(judgement) == "rrrrr"
    highest = part(judgement, "1").effect
    assert highest is not None
    assert highest.of == "transformers / mistral.rs"  # what refutes it most
    assert highest.value == pytest.approx(7.1 / 27, rel=0.05)
    assert "0 of 10 iterations" in part(judgement, "4").why


def test_a_stand_in_is_named_and_the_real_one_goes_first() -> None:
    judgement = judge(run_of(LLAMA_CPP, SERVER, RUST))
    assert judgement.stacks["llamafile"] == "llama-server"
    assert any("stand-in: llama-server in place" in mark for mark in part(judgement, "2").marks)
    real = rename(SERVER, name="llamafile", title="llamafile")
    judgement = judge(run_of(SERVER, real, rename(RUST, reach="served")))
    assert judgement.stacks["llamafile"] == "llamafile"
    assert part(judgement, "2").marks == ()


def test_http_on_one_side_is_said_and_can_be_left_out() -> None:
    run = run_of(SERVER, LLAMA_CPP, OLLAMA, RUST)
    assert any("HTTP" in mark for mark in part(judge(run), "2").marks)
    embedded = judge(run.of_path("embedded"))
    assert embedded.stacks == {"llamafile": "llama.cpp", "mistral.rs": "mistral.rs"}
    assert not any("HTTP" in mark for mark in part(embedded, "2").marks)


def test_weights_of_two_kinds_are_said() -> None:
    wide = rename(RUST, build={"weights in memory": "32 bits"})
    marks = part(
        judge(run_of(rename(SERVER, build={"weights in memory": "bf16"}), wide)), "2"
    ).marks
    assert any("weights in memory differ: bf16: llama-server" in mark for mark in marks)


def test_what_was_not_run_is_inconclusive_and_named() -> None:
    judgement = judge(run_of(LLAMA_CPP, OLLAMA))
    assert verdicts(judgement) == "iiiii"
    assert set(judgement.missing) == {"transformers", "mistral.rs-server", "ollama@gogc=off"}
    assert "was not run" in part(judgement, "5").why
    judgement = judge(run_of(OLLAMA), buildable=["llama-server", "mistral.rs", "transformers"])
    assert {"llama-server", "mistral.rs", "transformers"} < set(judgement.missing)


def test_one_refuting_pair_is_enough_without_the_others() -> None:
    judgement = judge(run_of(LLAMA_CPP, rename(RUST, e2e_s=27.0)))
    assert part(judgement, "5").verdict is REFUTED


def test_a_stack_that_died_is_no_evidence() -> None:
    dead = rename(RUST, error="killed by SIGILL", samples_kept=0)
    finding = part(judge(run_of(LLAMA_CPP, dead)), "2")
    assert finding.verdict is INCONCLUSIVE
    assert "killed by SIGILL" in finding.why


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


def test_the_family_of_all_claims_is_corrected_once() -> None:
    run = run_of(LLAMA_CPP, rename(OLLAMA, e2e_s=8.7, noise=0.06))
    single = {"kind": "lower", "left": "llama.cpp", "right": "ollama"}
    claims = claims_with(single)
    tests = [{**single, "metric": name} for name in ("ttft", "tpot", "e2e")]
    document = claims.model_dump()
    document["claims"][0]["tests"] = tests
    several = judge(run, Claims.model_validate(document))
    twice = judge(run, claims)
    assert part(several, "1", 3).effect == part(twice, "1").effect


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


@pytest.mark.parametrize(
    "test",
    [
        {"kind": "highest", "metric": "tgr", "left": "ollama", "of": ["llama.cpp"]},
        {"kind": "lowest", "metric": "ttft", "left": "ollama", "of": ["llama.cpp"], "users": 10},
        {"kind": "rises", "left": "ollama", "from_users": 10, "users": 100, "at_least": 1.0},
        {"kind": "untestable", "why": "nobody knows"},
    ],
)
def test_what_single_requests_cannot_tell(test: dict[str, Any]) -> None:
    assert one(run_of(LLAMA_CPP, OLLAMA), **test).verdict is INCONCLUSIVE


def test_a_load_without_levels_decides_nothing() -> None:
    run = run_of(LLAMA_CPP, OLLAMA, kind="load")
    judgement = judge(replace(run, samples=run.samples.iloc[:0]))
    assert verdicts(judgement) == "iiiii"
    assert "no level with a number of users" in part(judgement, "1").why


def test_a_claim_about_another_model_or_device_is_not_judged() -> None:
    for scope in ({"models": ["Llama-3-70B"]}, {"devices": ["cuda"]}):
        document = claims_with(
            {"kind": "lower", "left": "llama.cpp", "right": "ollama"}
        ).model_dump()
        document["claims"][0]["scope"] = scope
        found = part(judge(run_of(LLAMA_CPP, OLLAMA), Claims.model_validate(document)), "1")
        assert found.verdict is INCONCLUSIVE
        assert "it is about" in found.why


def test_stacks_on_two_devices_are_not_compared() -> None:
    run = run_of(LLAMA_CPP, OLLAMA)
    device = run.conditions["stack"].map({"llama.cpp": "cuda", "ollama": "cpu"})
    mixed = replace(run, conditions=run.conditions.assign(device=device))
    found = one(mixed, kind="lower", left="llama.cpp", right="ollama")
    assert found.verdict is INCONCLUSIVE
    assert "different devices" in found.why


@pytest.mark.parametrize("how", ["argument", "column"])
def test_a_speed_that_is_struck_out_decides_nothing(how: str) -> None:
    run = run_of(LLAMA_CPP, rename(OLLAMA, e2e_s=12.0))
    test = claims_with({"kind": "lower", "left": "llama.cpp", "right": "ollama"})
    if how == "argument":
        found = part(judge(run, test, struck_out={101: "wrong answers"}), "1")
    else:
        struck = run.conditions["stack"].map({"ollama": "wrong answers"})
        struck = struck.where(struck.notna(), "")
        found = part(
            judge(replace(run, conditions=run.conditions.assign(struck=struck)), test), "1"
        )
    assert found.verdict is INCONCLUSIVE
    assert found.why == "Ollama is struck out: wrong answers"


def test_what_was_allowed_to_differ_is_on_every_verdict() -> None:
    run = run_of(LLAMA_CPP, OLLAMA, allowed_unfair=["threads", "precision"])
    assert judge(run).marks == ("not equal, and allowed to be: threads, precision",)
    assert judge(run_of(LLAMA_CPP), marks=["by hand"]).marks == ("by hand",)


def test_runs_of_two_machines_or_models_are_not_pooled() -> None:
    first, second = run_of(LLAMA_CPP), run_of(LLAMA_CPP, run_id=8)
    assert not_pooled([first, second]) == ""
    elsewhere = replace(second, run={**second.run, "host": {"cpu": "another"}})
    assert "processor" in not_pooled([first, elsewhere])
    assert "none is pooled" in not_pooled([first, elsewhere])
    other = replace(second, conditions=second.conditions.assign(source_sha256="cd" * 32))
    assert "model" in not_pooled([first, other])
    eight = replace(second, conditions=second.conditions.assign(precision="8bit"))
    assert not_pooled([first, eight]) == ""


def test_records_are_plain_values() -> None:
    rows = judge(run_of(LLAMA_CPP, OLLAMA, RUST, TRANSFORMERS)).records()
    frame = pd.DataFrame(rows)
    assert len(frame) == 9
    assert set(frame["verdict"]) <= {"supported", "refuted", "inconclusive"}


def test_every_claim_of_the_other_studies_gets_a_verdict() -> None:
    path = Path(__file__).parents[3] / "data" / "other-studies.claims.toml"
    judgement = judge(run_of(LLAMA_CPP, OLLAMA), load_claims(str(path)))
    assert set(verdicts(judgement)) == {"i"}
