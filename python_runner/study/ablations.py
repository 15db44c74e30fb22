"""Ablations as data: pairs of stacks that differ in one thing, and what that is to tell."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from python_runner.common.variants import parse_stack
from python_runner.study.base import Frozen

Stack = Annotated[str, AfterValidator(lambda name: str(parse_stack(name)))]
"""A variant has one name, in whatever order its knobs are written."""


class Ablation(Frozen):
    """One cause, put to the test: what changes if this alone is changed."""

    key: str = Field(min_length=1, description="short name of the cause, as for `why --only`")
    question: str = Field(min_length=1, description="what it asks, in plain words")
    change: str = Field(
        min_length=1, description="from right to left, as the subject of a sentence"
    )
    left: Stack = Field(description="the stack that is changed")
    right: Stack = Field(description="the stack as it was")
    metric: Literal["e2e_ms", "ttft_ms", "tpot_ms"] = Field(
        "e2e_ms", description="the figure that would change"
    )
    if_equal: str = Field("", description="what it means if there is no difference")
    if_not: str = Field("", description="what it means if there is one")
