"""Small values for tests: change what the test is about, leave the rest."""

from pathlib import Path

from python_runner.common.clock import NS_PER_MS
from python_runner.engines.contract import (
    EngineSpec,
    Generation,
    Language,
    LaunchSettings,
    Reach,
    StopReason,
    WeightFormat,
)
from python_runner.measure import Condition, Sample
from python_runner.models import Model
from python_runner.study import Study


def study(**changes: object) -> Study:
    values: dict[str, object] = {
        "name": "test",
        "title": "a test",
        "model": "gemma-2-tiny",
        "stacks": ("mock",),
    }
    return Study.model_validate({**values, **changes})


def model() -> Model:
    return Model(
        name="gemma-2-2b-synthetic",
        label="Gemma-2-2B shape, random weights",
        is_synthetic=True,
        folder=Path("nowhere"),
        source_sha256="0" * 64,
        gguf={},
    )


def spec() -> EngineSpec:
    return EngineSpec(
        name="mock",
        title="Mock",
        language=Language.NONE,
        reach=Reach.EMBEDDED,
        formats={"bf16": WeightFormat(name="bf16", bits=16, memory_per_weight_byte=1.1)},
        model_format="safetensors",
        can_ignore_end_of_sequence=True,
        reports_token_ids=True,
        takes_token_ids=True,
    )


def settings() -> LaunchSettings:
    return LaunchSettings(model=model(), precision="bf16", device="cpu", threads=2, context=512)


def condition() -> Condition:
    return Condition(
        engine=spec(),
        settings=settings(),
        template="raw",
        sampling="greedy",
        prompt_cache="unique prompts",
        version="1.0",
        build={"flags": "-O3"},
        load_seconds=1.5,
    )


def generation(*, tokens: int = 4, start_ns: int = 0, itl_ms: int = 10) -> Generation:
    stamps = tuple(start_ns + (50 + itl_ms * i) * NS_PER_MS for i in range(tokens))
    return Generation(
        requested_ns=start_ns,
        chunk_ns=stamps,
        chunk_tokens=(1,) * tokens,
        ended_ns=stamps[-1],
        prompt_tokens=3,
        output_tokens=tokens,
        stop=StopReason.LENGTH,
        text="a b c d",
        token_ids=tuple(range(tokens)),
        engine_timings={"eval_ms": 1.5},
    )


def sample(number: int, answer: Generation | None, *, error: str = "") -> Sample:
    return Sample(
        iteration=number,
        is_warmup=False,
        prompt_text="one two",
        prompt_tokens=3,
        requested_tokens=4,
        generation=answer,
        error=error,
        resources={"cpu_s": 0.25},
    )
