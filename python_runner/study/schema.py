"""The shape of a study file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from python_runner.common.errors import UsageError
from python_runner.study.ablations import Ablation, Stack
from python_runner.study.base import Frozen, NonNegativeInt, PositiveInt
from python_runner.study.endpoints import EndpointName, EndpointTable
from python_runner.study.load_table import Load, check_duration, parse_duration
from python_runner.study.published import PublishedMark
from python_runner.study.units import parse_percent

Name = Annotated[str, Field(min_length=1)]

Duration = Annotated[str, AfterValidator(check_duration)]


def _as_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _check_percent(text: str) -> str:
    try:
        parse_percent(text)
    except UsageError as error:
        raise ValueError(f"{error.message}. {error.hint}") from error
    return text


_LOOKS = 4
"""A run that goes on makes at most so many times its `iterations`, unless told otherwise."""


class Workload(Frozen):
    """What one request asks for. The same for every stack and every iteration."""

    prompt_tokens: PositiveInt = Field(
        48, description="tokens of each prompt, BOS and template included"
    )
    shared_prefix_tokens: NonNegativeInt = Field(
        0,
        description="tokens that all prompts begin with, BOS and template included; 0: they "
        "differ from their first token on",
    )
    prompts: str | None = Field(
        None,
        min_length=1,
        description="a file beside the study (text, .jsonl, .json), whose prompts are asked in "
        "their order, in place of made ones: first those of warm-up, then one each iteration",
    )
    new_tokens: PositiveInt = Field(32, description="tokens of each answer, or the most of them")
    stop: Literal["length", "end-of-sequence"] = Field(
        "length",
        description="length: exactly new_tokens, past any end that the model sets; "
        "end-of-sequence: the model may end its answer before",
    )
    template: Literal["raw", "chat"] = Field(
        "raw", description="the text as it is, or wrapped in the model's chat turns"
    )
    sampling: Literal["greedy"] = Field(
        "greedy", description="greedy: always the most probable token"
    )

    @property
    def may_end(self) -> bool:
        """Whether an answer may be shorter than `new_tokens`."""
        return self.stop == "end-of-sequence"


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
    stacks: tuple[Stack, ...] = Field(
        min_length=1,
        description="engines or variants of them (ollama@gogc=off), in the order in which they run",
        strict=False,
    )
    endpoints: dict[EndpointName, EndpointTable] = Field(
        default_factory=dict,
        description="servers that somebody else runs, each a table; its name is one of a stack",
    )
    precision: Literal["bf16", "8bit", "shipped"] = Field(
        "bf16",
        description="weights: bf16 or 8bit, for all; shipped: what each project gives to whoever "
        "types its first command",
    )
    device: Literal["cpu", "cuda"] = Field(
        "cpu", description="where all engines compute: cpu or cuda"
    )
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
    blocks: PositiveInt = Field(
        5,
        description="visits to each stack, over which the iterations are spread; every visit loads "
        "it anew, and they take turns",
    )
    until_ci: Annotated[str, AfterValidator(_check_percent)] | None = Field(
        None,
        description="go on until each ratio's 95 % interval is so narrow to both sides: '2%'",
    )
    max_iterations: PositiveInt | None = Field(
        None, description=f"with until_ci: the most iterations; left out: {_LOOKS} x `iterations`"
    )
    max_time: Annotated[str, AfterValidator(check_duration)] | None = Field(
        None, description='with until_ci: nothing is begun that would end later: "2h"'
    )
    retries: NonNegativeInt = Field(
        0,
        description="how often a start or a request that failed is tried again, each time with "
        "the stack started anew; every failed attempt is kept",
    )
    timeout: Duration = Field("10min", description='for one request; then the stack is ended: "2m"')
    stall_timeout: Duration = Field(
        "2min",
        description="for the next token, once one has come; of an embedded stack, for computing",
    )
    start_timeout: Duration = Field("15min", description="until a stack has to be ready")
    seed: NonNegativeInt = Field(20240, description="decides which prompts are made")
    allow_unfair: tuple[Name, ...] = Field(
        (),
        strict=False,
        description="criteria in which stacks may differ although it is unfair; all that comes "
        "out is marked with those in which they do",
    )
    workload: Workload = Field(default_factory=Workload)
    claims: str | None = Field(
        None,
        min_length=1,
        description="claims that its runs are held against: a name, or a file beside the study",
    )
    load: Load | None = Field(None, description="many requests at once, for `polystack load`")
    ablations: tuple[Ablation, ...] = Field(
        (), description="pairs of the stacks that differ in one thing", strict=False
    )
    explains: PositiveInt | None = Field(
        None, description="number of the run that the ablations are to explain"
    )

    published: PublishedMark | None = Field(
        None, description="set by `polystack study`: the published study that the run repeats"
    )

    @property
    def visits(self) -> int:
        """Blocks in which `iterations` iterations are made."""
        return 1 if self.load else min(self.blocks, self.iterations)

    @property
    def target(self) -> float | None:
        """`until_ci` as a share: 0.02 for 2 %."""
        return None if self.until_ci is None else parse_percent(self.until_ci)

    @property
    def most_iterations(self) -> int:
        """Iterations of each stack that there can be."""
        if self.until_ci is None:
            return self.iterations
        return self.max_iterations or _LOOKS * self.iterations

    @property
    def most_seconds(self) -> float | None:
        """`max_time` in seconds."""
        return None if self.max_time is None else parse_duration(self.max_time)

    @property
    def timeout_s(self) -> float:
        """`timeout` in seconds."""
        return parse_duration(self.timeout)

    @property
    def stall_timeout_s(self) -> float:
        """`stall_timeout` in seconds."""
        return parse_duration(self.stall_timeout)

    @property
    def start_timeout_s(self) -> float:
        """`start_timeout` in seconds."""
        return parse_duration(self.start_timeout)

    @model_validator(mode="after")
    def _limits_something(self) -> Study:
        if self.until_ci is None:
            for key in ("max_iterations", "max_time"):
                if getattr(self, key) is not None:
                    raise ValueError(f"{key}: is a limit of `until_ci`, which is not there")
        elif self.workload.may_end:
            raise ValueError(
                "until_ci: its intervals are those of E2E latency, which does not compare answers "
                "of different lengths (workload.stop)"
            )
        elif len(self.stacks) < 2:
            raise ValueError("until_ci: its intervals are those of ratios, which take two stacks")
        if self.most_iterations < self.iterations:
            raise ValueError(
                f"max_iterations: {self.most_iterations} are fewer than `iterations` "
                f"({self.iterations})"
            )
        return self

    @model_validator(mode="after")
    def _stacks_differ(self) -> Study:
        twice = sorted({name for name in self.stacks if self.stacks.count(name) > 1})
        if twice:
            raise ValueError(f"stacks: {', '.join(twice)} stands there twice")
        return self

    @model_validator(mode="after")
    def _ablations_are_of_its_stacks(self) -> Study:
        for place, each in enumerate(self.ablations):
            strangers = {each.left, each.right} - set(self.stacks)
            if strangers or each.left == each.right:
                raise ValueError(
                    f"ablations.{place}: {each.left} and {each.right} must be two of the stacks"
                )
        return self

    @model_validator(mode="after")
    def _fits_the_context(self) -> Study:
        if self.load and self.retries:
            raise ValueError(
                "retries: is for one request at a time; under load another attempt would be more "
                "load than was asked for, and the failure is what is looked for"
            )
        if self.load and self.workload.shared_prefix_tokens:
            raise ValueError(
                "workload.shared_prefix_tokens: is for one request at a time; for a load there is "
                "load.prompts.shared_prefix_tokens"
            )
        if self.load and self.workload.prompts:
            raise ValueError(
                "workload.prompts: is for one request at a time; for a load there is load.prompts"
            )
        if self.workload.prompts and self.workload.shared_prefix_tokens:
            raise ValueError("workload.shared_prefix_tokens: is for prompts that are made")
        if self.workload.prompts or (self.load and self.load.prompts.kind != "synthetic"):
            return self  # how long those prompts are is seen when they are read
        needed = self.workload.prompt_tokens + self.workload.new_tokens
        if needed > self.context:
            raise ValueError(
                f"context: {self.context} tokens are too few for {self.workload.prompt_tokens} "
                f"prompt tokens and {self.workload.new_tokens} new ones ({needed})"
            )
        return self
