"""What a run may not be asked, and what is said of what differs in it."""

from dataclasses import replace

import pytest

from python_runner.analyse.claims import not_pooled
from python_runner.study import Claims
from tests.golden.frames import LLAMA_CPP, OLLAMA, rename
from tests.unit.analyse.claims.judged import INCONCLUSIVE, claims_with, judge, one, part, run_of


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
