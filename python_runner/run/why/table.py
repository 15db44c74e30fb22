"""The table of ablations: which causes can be put to the test, and how.

A new one is a row here; it is offered for every stack whose engine has the knob.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from python_runner.common.variants import StackName


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A stack of the run that is to be explained, as it was measured."""

    name: StackName
    title: str
    precision: str
    threads: int


Turn = Callable[[Seen], Mapping[str, str]]
"""The knobs to turn, or none where it makes no sense."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One row: something that may explain a figure, and the change that tests it."""

    key: str
    """For `--only`; several rows may share it."""
    question: str
    change: str
    """What is changed, as the subject of a sentence; `{title}` is the stack."""
    telling: int
    """How much the answer may turn around what is concluded from a run: the highest first."""
    turn: Turn | None = None
    """None: the twin of the stack, which runs the same engine and is reached in the other way."""
    slower: float = 1.0
    """How many times as long the changed stack may take: for the estimate of time only."""
    metric: Literal["e2e_ms", "ttft_ms", "tpot_ms"] = "e2e_ms"
    shares_prefix: bool = False
    """Whether it only matters for prompts that begin alike, which take a run of their own."""
    if_equal: str
    if_not: str


def _always(**knobs: str) -> Turn:
    turned = {name.replace("_", "-"): value for name, value in knobs.items()}
    return lambda _: turned


def _half_the_threads(seen: Seen) -> Mapping[str, str]:
    return {"threads": str(seen.threads // 2)} if seen.threads > 1 else {}


def _fewer_bits(seen: Seen) -> Mapping[str, str]:
    return {"precision": "8bit"} if seen.precision == "bf16" else {}


def _all_bits(seen: Seen) -> Mapping[str, str]:
    return {"precision": "bf16"} if seen.precision in {"8bit", "shipped"} else {}


CAUSES: tuple[Cause, ...] = (
    Cause(
        key="flags",
        question="Is it the compiler's flags?",
        change="Compiling {title} for any CPU instead of this one",
        telling=100,
        turn=_always(flags="baseline"),
        slower=11.0,
        if_equal="The flags explain nothing here.",
        if_not="That much hangs on how it was compiled, whatever the language.",
    ),
    Cause(
        key="precision",
        question="Is it the precision of the weights?",
        change="Holding the weights of {title} in 8 bits instead of bf16",
        telling=90,
        turn=_fewer_bits,
        if_equal="The precision explains nothing here.",
        if_not="That much hangs on the precision: stacks compare only in the same one.",
    ),
    Cause(
        key="precision",
        question="Is it the precision of the weights?",
        change="Holding the weights of {title} in bf16",
        telling=90,
        turn=_all_bits,
        slower=2.0,
        if_equal="The precision explains nothing here.",
        if_not="That much hangs on the precision: stacks compare only in the same one.",
    ),
    Cause(
        key="gogc",
        question="Is it Go's garbage collector?",
        change="Switching Go's collector off in {title}",
        telling=80,
        turn=_always(gogc="off"),
        if_equal="Go's collector is not why this stack is as fast as it is.",
        if_not="So much of the time hangs on Go's collector.",
    ),
    Cause(
        key="serving",
        question="What does serving over HTTP cost?",
        change="Reaching {served} over HTTP instead of {embedded} in process",
        telling=70,
        if_equal="Serving costs nothing that can be seen here.",
        if_not="That is the price of serving, and of what else the two do not share.",
    ),
    Cause(
        key="threads",
        question="Does it gain from its threads?",
        change="Halving the threads of {title}",
        telling=60,
        turn=_half_the_threads,
        slower=2.0,
        if_equal="Half the threads do: something else limits it, such as memory.",
        if_not="The number of threads decides, and must be the same for all.",
    ),
    Cause(
        key="gc",
        question="Is it Python's garbage collector?",
        change="Switching Python's collector off in {title}",
        telling=50,
        turn=_always(gc="off"),
        if_equal="Python's collector is not why this stack is as fast as it is.",
        if_not="So much of the time hangs on Python's collector.",
    ),
    Cause(
        key="prompt-cache",
        question="Is it the prompt cache?",
        change="Switching the prompt cache of {title} on, for prompts that begin alike,",
        telling=40,
        turn=_always(prompt_cache="on"),
        metric="ttft_ms",
        shares_prefix=True,
        if_equal="The cache explains nothing, even where prompts begin alike.",
        if_not="A stack whose cache is on looks that different where prompts begin alike.",
    ),
    Cause(
        key="gogc",
        question="Is it Go's garbage collector?",
        change="Letting Go's collector run four times as often (GOGC 25) in {title}",
        telling=30,
        turn=_always(gogc="25"),
        if_equal="Even four times as many collections are not seen.",
        if_not="Collections do cost time, if there are enough of them.",
    ),
)


def causes() -> tuple[str, ...]:
    """The keys, each once, the most telling first."""
    ordered = sorted(CAUSES, key=lambda cause: -cause.telling)
    return tuple(dict.fromkeys(cause.key for cause in ordered))
