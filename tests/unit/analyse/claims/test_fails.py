"""Claims about failure, and several runs together."""

from typing import Any

import pytest

from python_runner.analyse.claims import ClaimVerdict, RunFrames, RunJudgement, Unit, together
from python_runner.study import Claims, load_claims
from tests.golden.frames import LLAMA_CPP, OLLAMA, FakeStack, rename
from tests.unit.analyse.claims.judged import claims_with, judge, one, part, run_of
from tests.unit.analyse.claims.load_runs import Server
from tests.unit.analyse.claims.load_runs import run_of as load_of

SUPPORTED, REFUTED, INCONCLUSIVE = ClaimVerdict
NO_MEMORY = "out of memory: Ollama ended by itself (signal SIGKILL)"
TEST = {"kind": "fails", "left": "ollama", "words": "out of memory"}


def run(*stacks: FakeStack, model: str = "gemma-2-tiny", **more: Any) -> RunFrames:
    return run_of(*(rename(stack, model=model) for stack in stacks), **more)


def test_a_stack_that_ended_so_supports_it() -> None:
    found = one(run(LLAMA_CPP, rename(OLLAMA, samples_kept=4, error=NO_MEMORY)), **TEST)
    assert (found.verdict, found.why) == (SUPPORTED, f"Ollama ended: {NO_MEMORY}")


def test_a_request_that_failed_so_supports_it() -> None:
    found = one(run(rename(OLLAMA, failures={3: "Out of memory in the KV cache"})), **TEST)
    assert found.verdict is SUPPORTED
    assert found.effect is not None
    assert found.effect.unit is Unit.SHARE
    assert found.effect.value == pytest.approx(0.1)
    assert found.effect.low < 0.1 < found.effect.high


def test_answers_refute_it_and_other_failures_do_not_support_it() -> None:
    assert one(run(OLLAMA), **TEST).verdict is REFUTED
    assert one(run(rename(OLLAMA, failures={3: "timed out"})), **TEST).verdict is REFUTED
    broken = rename(OLLAMA, samples_kept=0, error="no such file")
    found = one(run(LLAMA_CPP, broken), **TEST)
    assert (found.verdict, found.missing) == (INCONCLUSIVE, ())
    assert "gave no result (no such file)" in found.why


def test_a_stack_that_was_not_run_is_offered() -> None:
    found = one(run(LLAMA_CPP), **TEST)
    assert (found.verdict, found.missing) == (INCONCLUSIVE, ("ollama",))


@pytest.mark.parametrize(
    ("failing", "share", "verdict"),
    [(10, 0.5, SUPPORTED), (0, 0.5, REFUTED), (5, 0.5, INCONCLUSIVE), (1, 0.01, INCONCLUSIVE)],
)
def test_a_share_of_requests_needs_its_whole_interval(
    failing: int, share: float, verdict: ClaimVerdict
) -> None:
    stack = rename(OLLAMA, failures=dict.fromkeys(range(1, failing + 1), NO_MEMORY))
    assert one(run(stack), **TEST, share=share).verdict is verdict


def test_of_a_load_the_level_that_it_names_counts() -> None:
    claims = claims_with({"kind": "fails", "left": "ollama", "words": "busy", "users": 10})
    failing = load_of(Server(name="ollama", failing=4))
    assert part(judge(failing, claims), "1").verdict is SUPPORTED
    assert part(judge(load_of(Server(name="ollama")), claims), "1").verdict is REFUTED


def models_claims(*tests: dict[str, Any], models: tuple[str, ...] = ("qwen", "mistral")) -> Claims:
    scope = {"models": models, "hardware": "a machine"}
    claim = {"id": "1", "says": "x", "tests": tests, "scope": scope}
    return Claims.model_validate({**claims_with(tests[0]).model_dump(), "claims": [claim]})


def judged(claims: Claims, **errors: str) -> list[RunJudgement]:
    """A run for each model, in which Ollama ended for that reason."""
    return [
        judge(run(rename(OLLAMA, error=error), model=model, run_id=number), claims)
        for number, (model, error) in enumerate(errors.items(), start=1)
    ]


def test_some_models_are_one_of_them_and_none_of_all_refutes() -> None:
    claims = models_claims({**TEST, "on": "some"})
    first = judged(claims, qwen2="", mistral="")
    assert [part(each, "1").verdict for each in first] == [INCONCLUSIVE, INCONCLUSIVE]
    assert together(first)[0].verdict is REFUTED
    assert together(judged(claims, qwen2="", mistral=NO_MEMORY))[0].verdict is SUPPORTED
    (one_lacks,) = together(judged(claims, qwen2="", llama=""))
    assert (one_lacks.verdict, one_lacks.missing) == (INCONCLUSIVE, ("mistral",))


FASTER = {"kind": "lower", "left": "llama.cpp", "right": "ollama"}


def test_every_model_that_is_named_has_to_support_it() -> None:
    claims = models_claims({**FASTER, "models": ["qwen"]}, {**FASTER, "models": ["mistral"]})
    slow = rename(OLLAMA, e2e_s=15.0, noise=0.01)
    qwen = judge(run(LLAMA_CPP, slow, model="qwen2-7b"), claims)
    mistral = judge(run(LLAMA_CPP, slow, model="mistral-7b", run_id=8), claims)
    assert qwen.judged[0].verdict is INCONCLUSIVE
    outside = part(qwen, "1", 2)
    assert outside.is_out_of_scope
    assert "it is about mistral, and this run is of qwen2-7b" in outside.why
    assert "llama.cpp (llama.cpp), ollama (ollama); mistral; a machine" in outside.why
    assert together([qwen, mistral])[0].verdict is SUPPORTED
    assert together([qwen]) == ()
    other = judge(run(slow, rename(LLAMA_CPP, e2e_s=30.0), model="mistral-7b", run_id=8), claims)
    assert together([qwen, other])[0].verdict is REFUTED


@pytest.mark.parametrize("name", ["users", "long-sequences", "nine-prompts"])
def test_claims_about_other_machines_are_inconclusive_here_and_say_what_it_takes(name: str) -> None:
    judgement = judge(run(LLAMA_CPP, OLLAMA), load_claims(name))
    assert {each.verdict for each in judgement.judged} == {INCONCLUSIVE}
    assert judgement.missing == ()
    for each in judgement.judged:
        assert any(
            "cuda" in found.why and "it takes" in found.why
            for found in (part.finding for part in each.parts)
        ) or all(found.kind == "untestable" for found in each.claim.tests)
