"""Claims held against runs, from frames as the store gives them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from python_runner.analyse.claims import Unit
from python_runner.study import Claims, load_claims
from tests.golden.frames import LLAMA_CPP, OLLAMA, TRANSFORMERS, rename
from tests.unit.analyse.claims.judged import (
    GO_OFF,
    INCONCLUSIVE,
    REFUTED,
    RUST,
    SERVER,
    SUPPORTED,
    claims_with,
    judge,
    one,
    part,
    run_of,
    verdicts,
)

"""Claims held against runs, from frames as the store gives them."""


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


def test_records_are_plain_values() -> None:
    rows = judge(run_of(LLAMA_CPP, OLLAMA, RUST, TRANSFORMERS)).records()
    frame = pd.DataFrame(rows)
    assert len(frame) == 9
    assert set(frame["verdict"]) <= {"supported", "refuted", "inconclusive"}


def test_every_claim_of_the_other_studies_gets_a_verdict() -> None:
    path = Path(__file__).parents[3] / "data" / "other-studies.claims.toml"
    judgement = judge(run_of(LLAMA_CPP, OLLAMA), load_claims(str(path)))
    assert set(verdicts(judgement)) == {"i"}
