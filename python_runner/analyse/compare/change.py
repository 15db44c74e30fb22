"""Two runs beside each other: what changed in their conditions, and in the speed of each stack."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from python_runner.analyse.compare.family import Pair
from python_runner.analyse.compare.pairs import compare_pairs, matching_pairs
from python_runner.analyse.compare.verdict import Verdict
from python_runner.analyse.struck import struck_out

_MACHINE = ("cpu", "cores", "architecture")
_SAME_MEMORY = 0.01
"""Relative: a kernel keeps a little for itself, and not always as much."""
_HOST = (*_MACHINE, "memory_bytes", "os", "python")
_STUDY = ("iterations", "blocks", "warmup", "until_ci", "seed")
_WORKLOAD = ("prompt_tokens", "prompts", "new_tokens", "stop")
_SAME_WORK = ("device", "model", "source_sha256", "template", "sampling")
"""Where these differ the stack did other work, and its speed says nothing."""
_SETTINGS = ("title", "version", "precision", "threads", "context", "slots", "prompt_cache")
_COLUMNS = ("what", "stack", "before", "after")
ABSENT = ""
"""In a change: was not there."""


@dataclass(frozen=True, kw_only=True)
class RunChange:
    """What is different between two runs.

    Attributes:
        conditions: one row for each change: what, stack (title; empty: of all, or of the run
            itself), before, after; texts, `ABSENT` where there was nothing.
        speed: `compare_pairs`'s rows for the stacks of both runs that did the same work: the
            later run is left, so a ratio above 1 means that it takes longer.
        not_judged: title of a stack to the reason why its speed is not compared.
        machine: why no stack is judged, if the runs come from different machines; else empty.
    """

    conditions: pd.DataFrame
    speed: pd.DataFrame
    not_judged: Mapping[str, str]
    machine: str


def change_between(
    samples: pd.DataFrame,
    conditions: pd.DataFrame,
    runs: pd.DataFrame,
    before: int,
    after: int,
    *,
    metric: str = "e2e_ms",
) -> RunChange:
    """Compare two runs. Runs of different machines are not judged.

    Args:
        samples: one row for each request of both runs.
        conditions: one row for each stack of both. One that is struck out in either run (`struck`)
            is not judged.
        runs: two rows.
        before: id of the one.
        after: id of the other.
        metric: a figure of `request_metrics`.
    """
    first, second = (_Run.of(conditions, runs, run_id) for run_id in (before, after))
    machine = _other_machine(first.host, second.host)
    work = _other_workload(first.study, second.study)
    struck = struck_out(conditions)
    reasons = {
        stack: machine
        or work
        or _other_work(first.stacks[stack], row)
        or _wrong_answers((first.stacks[stack], row), struck)
        for stack, row in second.stacks.items()
        if stack in first.stacks
    }
    known = {int(row["condition_id"]): reasons.get(name) for name, row in second.stacks.items()}
    pairs = [pair for pair in matching_pairs(conditions, after, before) if not known[pair[0]]]
    return RunChange(
        conditions=_changes(first, second),
        speed=compare_pairs(_matched_blocks(samples, pairs), conditions, pairs, metric=metric),
        not_judged={
            str(second.stacks[stack]["title"]): reason
            for stack, reason in reasons.items()
            if reason
        },
        machine=machine,
    )


def _matched_blocks(samples: pd.DataFrame, pairs: Sequence[Pair]) -> pd.DataFrame:
    """The same samples with the blocks of both sides of a pair numbered alike, in order.

    A block of one run has no partner in the other: only that it is a visit counts. Where one
    run has more of them, its neighbours are put together until there are as many.
    """
    if "block" not in samples:
        return samples
    matched = samples["block"].astype(int).copy()
    for pair in pairs:
        mine = [samples.loc[samples["condition_id"] == one, "block"].astype(int) for one in pair]
        fewest = min(blocks.nunique() for blocks in mine)
        for blocks in mine:
            place = blocks.rank(method="dense").astype(int) - 1
            matched.loc[blocks.index] = place * fewest // max(1, blocks.nunique()) + 1
    return samples.assign(block=matched)


def really_slower(change: RunChange, share: float) -> pd.DataFrame:
    """The rows of `speed` that are slower by more than `share` (0.05), and not by chance."""
    speed = change.speed
    return speed[(speed["verdict"] == Verdict.SLOWER.value) & (speed["ratio"] > 1 + share)]


@dataclass(frozen=True, kw_only=True)
class _Run:
    host: Mapping[str, Any]
    study: Mapping[str, Any]
    program: str
    stacks: Mapping[str, Mapping[Any, Any]]
    """Stack name to its condition."""

    @classmethod
    def of(cls, conditions: pd.DataFrame, runs: pd.DataFrame, run_id: int) -> _Run:
        run = runs[runs["run_id"] == run_id].to_dict(orient="records")[0]
        mine = conditions[conditions["run_id"] == run_id].to_dict(orient="records")
        return cls(
            host=run["host"],
            study=json.loads(str(run["study_json"]) or "{}"),
            program=str(run["program_version"]),
            stacks={str(row["stack"]): row for row in mine},
        )

    def facts(self) -> dict[str, str]:
        """What is true of the run as a whole."""
        workload = _workload(self.study)
        return {
            "polystack": self.program,
            **{f"host, {name}": _text(self.host.get(name)) for name in _HOST},
            **{name.replace("_", " "): _text(self.study.get(name)) for name in _STUDY},
            **{name.replace("_", " "): _text(workload.get(name)) for name in _WORKLOAD},
        }


def _text(value: object) -> str:
    return ABSENT if value is None else str(value)


def _other_machine(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """How the machines differ; empty if they do not, or it is not known."""
    differ = [
        f"{name} {before[name]} and {after[name]}"
        for name in _MACHINE
        if name in before and name in after and before[name] != after[name]
    ]
    memory = [float(host.get("memory_bytes") or 0) for host in (before, after)]
    if all(memory) and abs(memory[1] / memory[0] - 1) > _SAME_MEMORY:
        differ.append(f"memory {memory[0] / 1e9:.1f} GB and {memory[1] / 1e9:.1f} GB")
    return f"the runs come from different machines: {', '.join(differ)}" if differ else ""


def _workload(study: Mapping[str, Any]) -> dict[str, Any]:
    """Runs from before there was a `stop` have what is its default."""
    return {"stop": "length", **study.get("workload", {})}


def _other_workload(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    one, other = _workload(before), _workload(after)
    differ = [
        f"{one.get(name)} and {other.get(name)} {name.replace('_', ' ')}"
        for name in _WORKLOAD
        if one.get(name) != other.get(name)
    ]
    return f"not the same work: {', '.join(differ)}" if differ else ""


def _other_work(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> str:
    differ = [
        f"{name.replace('_', ' ')} {before[name]} and {after[name]}"
        for name in _SAME_WORK
        if before[name] != after[name]
    ]
    return f"not the same work: {', '.join(differ)}" if differ else ""


def _wrong_answers(rows: Sequence[Mapping[Any, Any]], struck: Mapping[int, str]) -> str:
    found = [
        f"its answers are wrong in run {row['run_id']}: {struck[int(row['condition_id'])]}"
        for row in rows
        if int(row["condition_id"]) in struck
    ]
    return "; ".join(found)


def _changes(before: _Run, after: _Run) -> pd.DataFrame:
    rows = [*_of_run(before, after), *_of_stacks(before, after)]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _of_run(before: _Run, after: _Run) -> Iterator[tuple[str, str, str, str]]:
    one, other = before.facts(), after.facts()
    for what, value in one.items():
        if value != other[what]:
            yield what, "", value, other[what]


def _of_stacks(before: _Run, after: _Run) -> Iterator[tuple[str, str, str, str]]:
    both = [stack for stack in after.stacks if stack in before.stacks]
    found: dict[tuple[str, str, str], list[str]] = {}
    for stack in both:
        one, other = (_facts_of(run.stacks[stack]) for run in (before, after))
        for what in {**one, **other}:
            values = one.get(what, ABSENT), other.get(what, ABSENT)
            if values[0] != values[1]:
                title = str(after.stacks[stack]["title"])
                found.setdefault((what, *values), []).append(title)
    for (what, value, new), titles in found.items():
        is_of_all = len(titles) == len(both) > 1
        for title in [""] if is_of_all else titles:
            yield what, title, value, new
    for run, is_before in ((before, True), (after, False)):
        for stack, row in run.stacks.items():
            if stack not in both:
                yield (
                    "stack",
                    str(row["title"]),
                    *(("run", ABSENT) if is_before else (ABSENT, "run")),
                )


def _facts_of(condition: Mapping[Any, Any]) -> dict[str, str]:
    named = {name.replace("_", " "): _text(condition[name]) for name in (*_SETTINGS, *_SAME_WORK)}
    return {**named, **{f"build, {name}": _text(v) for name, v in condition["build"].items()}}
