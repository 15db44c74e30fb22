"""Stacks that rest on ggml, beside each other: what is equal, and what each difference is worth.

They are the nearest thing to an experiment on the language: the same kernels, called from C++
and from Go. What cannot be made equal is bounded, by stacks between which nothing else differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from python_runner.analyse.compare import Pair, Reason, compare_pairs
from python_runner.analyse.compare.permutation import RESAMPLES
from python_runner.analyse.struck import struck_out
from python_runner.common.variants import knobs_of, parse_stack
from python_runner.engines.contract import WEIGHTS_IN_MEMORY
from python_runner.engines.ggml.facts import DEFINES, THREADING, VERSION, WEIGHTS_FILE

BASE = "llama.cpp"
"""The stack that all others are held against."""
METRICS = ("e2e_ms", "ttft_ms", "tpot_ms")
FACTS = (
    *(VERSION, DEFINES, THREADING, WEIGHTS_FILE, WEIGHTS_IN_MEMORY),
    *("compiler", "flags", "compiled for"),
    *("flash attention", "KV cache", "prompt tokens computed at once"),
)
"""Facts of a build or a start that may explain a difference between stacks on ggml."""


@dataclass(frozen=True, kw_only=True)
class _Step:
    what: str
    left: str
    right: str
    unless: frozenset[str] = frozenset()
    """Stacks beside which the same can be told better."""


# Each stack beside the one that it should differ from in one thing only.
_LIKE, _SOURCE = "llama.cpp@like=ollama", "llama.cpp@source=ollama"
_STEPS = (
    _Step(what="defines and threads of ggml", left=_LIKE, right=BASE),
    _Step(what="version of llama.cpp and ggml", left=_SOURCE, right=_LIKE),
    _Step(
        what="version, defines and threads of ggml",
        left=_SOURCE,
        right=BASE,
        unless=frozenset({_LIKE}),
    ),
    _Step(
        what="the language and all above ggml: Go, not C++",
        left="go-driver",
        right=_SOURCE,
    ),
    _Step(
        what="the language, and another version of ggml",
        left="go-driver",
        right=_LIKE,
        unless=frozenset({_SOURCE}),
    ),
    _Step(
        what="the language, and another build of ggml",
        left="go-driver",
        right=BASE,
        unless=frozenset({_SOURCE, _LIKE}),
    ),
    _Step(
        what="the model's graph built in Go",
        left="go-driver-go-engine",
        right="go-driver",
    ),
    _Step(what="serving, with the engine in C++", left="ollama", right="go-driver"),
    _Step(
        what="serving, with the engine in Go",
        left="ollama-go-engine",
        right="go-driver-go-engine",
    ),
)
STEP_COLUMNS = ("what", "differs", "at_most")


def on_ggml(conditions: pd.DataFrame) -> pd.DataFrame:
    """The stacks that say on which ggml they rest."""
    return conditions[[VERSION in (build or {}) for build in conditions["build"]]]


def facts_of_stacks(conditions: pd.DataFrame) -> pd.DataFrame:
    """One row for each fact and value.

    Args:
        conditions: stacks of one run, as `store` reads them.

    Returns:
        fact; value, empty where a stack does not say; titles: a tuple of the stacks that have
        it; is_equal: whether all stacks have this value.
    """
    rows: list[dict[str, object]] = []
    for fact in FACTS:
        groups: dict[str, list[str]] = {}
        for condition in conditions.to_dict(orient="records"):
            value = str(condition["build"].get(fact, ""))
            groups.setdefault(value, []).append(str(condition["title"]))
        rows += [
            {
                "fact": fact,
                "value": value,
                "titles": tuple(titles),
                "is_equal": len(groups) == 1,
            }
            for value, titles in groups.items()
        ]
    return pd.DataFrame(rows, columns=["fact", "value", "titles", "is_equal"])


def compare_on_ggml(
    samples: pd.DataFrame, conditions: pd.DataFrame, *, resamples: int = RESAMPLES
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare the stacks of one run that rest on ggml.

    All pairs of both tables are one family of tests for each metric.

    Args:
        samples: as `compare_pairs` takes them.
        conditions: stacks of one run, those of `on_ggml` only. One that is struck out is left out.
        resamples: shufflings of the permutation test.

    Returns:
        Two tables with the columns of `compare_pairs`, one row for each pair and metric of
        `METRICS`:

        - every other stack (left) against llama.cpp (right), with `reach` of the left one;
          empty if llama.cpp was not run.
        - every two stacks that should differ in one thing: `what` it is, `differs`: a tuple of the
          `FACTS` that in truth differ, and `at_most`: the largest relative difference that the
          interval leaves room for, 0.05 for five per cent either way; NaN for too few samples.
    """
    struck = struck_out(conditions)
    known = {
        str(row["stack"]): row
        for row in conditions.to_dict(orient="records")
        if int(row["condition_id"]) not in struck
    }
    steps = [*_steps(known)]
    pairs = _pairs(known, steps)
    tables = [
        compare_pairs(samples, conditions, pairs, metric=metric, resamples=resamples)
        for metric in METRICS
    ]
    compared = pd.concat(tables, ignore_index=True)
    against = compared[(compared["stack_right"] == BASE) & (compared["stack_left"] != BASE)]
    reaches = [known[stack]["reach"] for stack in against["stack_left"]]
    return against.assign(reach=reaches).reset_index(drop=True), _with_bounds(
        compared, steps, known
    )


def differing_facts(left: Mapping[str, str], right: Mapping[str, str]) -> tuple[str, ...]:
    """The `FACTS` in which two builds differ."""
    return tuple(fact for fact in FACTS if left.get(fact, "") != right.get(fact, ""))


def _steps(known: Mapping[str, Any]) -> Iterator[_Step]:
    """What this run can tell apart: the steps above, and each variant beside its own base."""
    named = [
        step
        for step in _STEPS
        if step.left in known and step.right in known and step.unless.isdisjoint(known)
    ]
    yield from named
    done = {step.left for step in named}
    for stack in known:
        knobs = knobs_of(stack)
        base = parse_stack(stack).base if knobs else stack
        if knobs and base in known and stack not in done:
            words = ", ".join(f"{knob} {value}" for knob, value in knobs.items())
            yield _Step(what=f"{words} ({base})", left=stack, right=base)


def _pairs(known: Mapping[str, Any], steps: Sequence[_Step]) -> list[Pair]:
    named = [(stack, BASE) for stack in known if stack != BASE] if BASE in known else []
    named += [(step.left, step.right) for step in steps]
    return [
        (int(known[left]["condition_id"]), int(known[right]["condition_id"]))
        for left, right in dict.fromkeys(named)
    ]


def _with_bounds(
    compared: pd.DataFrame, steps: Sequence[_Step], known: Mapping[str, Any]
) -> pd.DataFrame:
    rows = []
    for step in steps:
        differs = differing_facts(known[step.left]["build"], known[step.right]["build"])
        found = compared[
            (compared["stack_left"] == step.left) & (compared["stack_right"] == step.right)
        ]
        farthest = np.maximum(found["ratio_high"], 1 / found["ratio_low"]) - 1
        rows.append(
            found.assign(
                what=step.what,
                # A column of tuples: given as a list, they would become a table.
                differs=pd.Series([differs] * len(found), index=found.index, dtype=object),
                at_most=np.where(found["reason"] == Reason.TOO_FEW.value, np.nan, farthest),
            )
        )
    if not rows:
        return pd.DataFrame(columns=[*compared.columns, *STEP_COLUMNS])
    return pd.concat(rows, ignore_index=True)
