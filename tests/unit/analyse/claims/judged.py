"""Runs made by hand, and claims held against them."""

from collections.abc import Sequence
from typing import Any

from python_runner.analyse.claims import (
    ClaimVerdict,
    Finding,
    RunFrames,
    RunJudgement,
    judge_claims,
)
from python_runner.study import Claims, load_claims
from tests.golden.frames import LLAMA_CPP, MISTRAL_RS, OLLAMA, FakeStack, rename
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
