"""The shape of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from python_runner.study.base import Frozen, NonNegativeInt, PositiveInt
from python_runner.study.load_table import Load

Name = Annotated[str, Field(min_length=1)]


def _as_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Workload(Frozen):
    """What one request asks for. The same for every stack and every iteration."""

    prompt_tokens: PositiveInt = Field(
        48, description="tokens of each prompt, BOS and template included"
    )
    new_tokens: PositiveInt = Field(32, description="tokens of each answer")
    template: Literal["raw", "chat"] = Field(
        "raw", description="the text as it is, or wrapped in the model's chat turns"
    )
    sampling: Literal["greedy"] = Field(
        "greedy", description="greedy: always the most probable token"
    )


class Study(Frozen):
    """One comparison: a model, a workload, and the stacks that are to run them."""

    name: str = Field(min_length=1, description="short name, as in `runs`")
    title: str = Field(min_length=1, description="what the study asks")
    model: Annotated[tuple[Name, ...], BeforeValidator(_as_several)] = Field(
        min_length=1,
        strict=False,
        description="a model that `polystack models` lists, or a path; or several: the first "
        "that is on this disk is run, else the last",
    )
    stacks: tuple[str, ...] = Field(
        min_length=1, description="engines, in the order in which they run", strict=False
    )
    precision: Literal["bf16", "8bit", "shipped"] = Field(
        "bf16",
        description="weights: bf16 or 8bit, for all; shipped: what each project gives to whoever "
        "types its first command",
    )
    device: Literal["cpu"] = Field("cpu", description="where all engines compute")
    threads: PositiveInt | None = Field(
        None,
        description="threads of each engine; left out: one for each physical core, or as shipped "
        "what it takes by itself",
    )
    context: PositiveInt = Field(512, description="tokens of context (prompt and answer)")
    iterations: PositiveInt = Field(10, description="timed requests of each stack")
    warmup: NonNegativeInt = Field(
        2, description="requests before those: kept, marked, left out of the figures"
    )
    seed: NonNegativeInt = Field(20240, description="decides which prompts are made")
    allow_unfair: tuple[Name, ...] = Field(
        (),
        strict=False,
        description="criteria in which stacks may differ although it is unfair; all that comes "
        "out is marked with those in which they do",
    )
    workload: Workload = Field(default_factory=Workload)
    load: Load | None = Field(None, description="many requests at once, for `polystack load`")

    @model_validator(mode="after")
    def _stacks_differ(self) -> Study:
        twice = sorted({name for name in self.stacks if self.stacks.count(name) > 1})
        if twice:
            raise ValueError(f"stacks: {', '.join(twice)} stands there twice")
        return self

    @model_validator(mode="after")
    def _fits_the_context(self) -> Study:
        if self.load and self.load.prompts.kind != "synthetic":
            return self  # how long those prompts are is seen when they are read
        needed = self.workload.prompt_tokens + self.workload.new_tokens
        if needed > self.context:
            raise ValueError(
                f"context: {self.context} tokens are too few for {self.workload.prompt_tokens} "
                f"prompt tokens and {self.workload.new_tokens} new ones ({needed})"
            )
        return self
