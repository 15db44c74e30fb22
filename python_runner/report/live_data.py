"""A run that is going on, in the words and tables that a live view shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from python_runner.analyse.live import (
    ProbeNoise,
    RequestPoints,
    StackState,
    live_levels,
    live_stacks,
    probe_noise,
)
from python_runner.report.facts import (
    condition_warnings,
    count_of,
    each_once,
    model_label,
    shorten,
)
from python_runner.report.load_data import load_words
from python_runner.report.units import spell_number, spell_time
from python_runner.store import RunKind

Rows = Sequence[Mapping[str, Any]]
_SEPARATOR = " · "


@dataclass(frozen=True, kw_only=True)
class LiveClock:
    """What changes although nothing has happened. Seconds."""

    gone_s: float
    left_s: float | None
    """As the pace so far tells; None: it does not tell yet."""
    between: bool = False
    """No step is under way: something is built or looked at, which nobody can foresee."""


@dataclass(frozen=True, kw_only=True)
class LiveRun:
    """What is known of a run at one moment; it stays so until something new is stored."""

    run_id: int
    is_over: bool
    is_interrupted: bool
    heading: str
    work: str
    now: str
    """What it is at."""
    last: str
    """What came last, in one line; empty before the first request has ended."""
    stacks: Rows
    """`live_stacks`' rows."""
    levels: Rows
    """Of a load: `live_levels`' rows."""
    is_load: bool
    noise: Mapping[str, ProbeNoise]
    """By the column of the probe; empty where nobody looked."""
    notes: tuple[str, ...]
    """Failures, with their reasons."""
    warnings: tuple[str, ...]
    """What changes how the figures may be read."""
    goes_on: str
    """On what it depends whether more comes than is planned; empty if nothing does."""


@dataclass(frozen=True, kw_only=True)
class LiveFacts:
    """What changes only when a stack is begun."""

    heading: str
    work: str
    warnings: tuple[str, ...]
    goes_on: str


@dataclass(frozen=True, kw_only=True)
class SoFar:
    """A run as it was stored up to now; see `store.follow.Followed` for the rows."""

    run: Mapping[str, Any]
    conditions: Rows
    steps: Rows
    levels: Rows
    samples: Rows
    """All so far, with their figures (`sample_figures`)."""
    points: Mapping[int, RequestPoints]
    """Of a load: the requests of each level."""

    @property
    def ended(self) -> frozenset[str]:
        """Stacks that ended before their time."""
        return frozenset(row["stack"] for row in self.conditions if row["error"])

    @property
    def current(self) -> Mapping[str, Any] | None:
        """The step that is under way."""
        ended = self.ended
        going = [
            step
            for step in self.steps
            if step["began_ns"] is not None
            and step["ended_ns"] is None
            and step["stack"] not in ended
        ]
        return going[-1] if going else None

    def samples_of(self, step: Mapping[str, Any]) -> Rows:
        """Those of one visit."""
        wanted = (step["stack"], step["number"])
        return [each for each in self.samples if (each["stack"], each["block"]) == wanted]

    def level_of(self, step: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The level that a step of a load is, once it is begun."""
        wanted = (step["stack"], step["number"])
        return next((row for row in self.levels if (row["stack"], row["number"]) == wanted), None)

    @property
    def is_load(self) -> bool:
        return bool(self.run["kind"] == RunKind.LOAD)


def live_facts(conditions: pd.DataFrame, runs: pd.DataFrame) -> LiveFacts:
    """The words that stand beside the figures of one run, as far as its stacks were begun."""
    run = runs.to_dict(orient="records")[0]
    study = json.loads(str(run["study_json"]) or "{}")
    model = model_label(conditions) or each_once(_as_several(study.get("model", "unknown model")))
    # Only what is wrong with the figures: that the run is not complete, its reader knows.
    as_complete = {**run, "status": "complete"}
    is_synthetic = bool(conditions["is_synthetic"].any())
    return LiveFacts(
        heading=f"Run {run['run_id']}: {model}",
        work=_work(study, conditions),
        warnings=tuple(condition_warnings(conditions, as_complete, is_synthetic=is_synthetic)),
        goes_on=_goes_on(study),
    )


def live_run(so_far: SoFar, facts: LiveFacts) -> LiveRun:
    """Put a run that goes on into words and tables."""
    by_stack: dict[str, list[Mapping[str, Any]]] = {}
    for sample in so_far.samples:
        by_stack.setdefault(sample["stack"], []).append(sample)
    stacks = live_stacks(so_far.steps, so_far.conditions, by_stack)
    levels = live_levels(so_far.levels, so_far.points)
    return LiveRun(
        run_id=so_far.run["run_id"],
        is_over=so_far.run["status"] != "running",
        is_interrupted=so_far.run["status"] == "interrupted",
        heading=facts.heading,
        work=facts.work,
        now=_now_load(so_far) if so_far.is_load else _now(so_far, stacks),
        last=_last(so_far.samples[-1]) if so_far.samples else "",
        stacks=stacks,
        levels=levels,
        is_load=so_far.is_load,
        noise=probe_noise(so_far.samples),
        notes=tuple(_notes(stacks, levels)),
        warnings=facts.warnings,
        goes_on=facts.goes_on,
    )


def _as_several(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _work(study: Mapping[str, Any], conditions: pd.DataFrame) -> str:
    workload = study.get("workload", {})
    parts = [f"study {study.get('name', '?')}"]
    if len(conditions) and (conditions["threads"] > 0).all():
        parts += [
            each_once(conditions["precision"]),
            count_of(each_once(conditions["threads"]), "thread"),
        ]
    return _SEPARATOR.join(
        [
            *parts,
            "prompts of a file"
            if workload.get("prompts")
            else f"{workload.get('prompt_tokens', '?')} prompt tokens",
            f"{'at most ' if workload.get('stop') == 'end-of-sequence' else ''}"
            f"{workload.get('new_tokens', '?')} new tokens",
        ]
    )


def _now(so_far: SoFar, stacks: Rows) -> str:
    step = so_far.current
    if step is None:
        return _between(so_far)
    row = next(row for row in stacks if row["stack"] == step["stack"])
    blocks = len({each["number"] for each in so_far.steps})
    where = f"block {step['number']} of {blocks}, {row['title']}"
    if row["state"] == StackState.LOADING:
        return f"{where}: loading the model"
    done = len(so_far.samples_of(step))
    warmup = step["requests"] - step["timed"]
    if done >= step["requests"]:
        return f"{where}: stopping it"
    if done < warmup:
        return f"{where}: warm-up {done + 1} of {warmup}"
    return f"{where}: iteration {row['n_timed'] + 1} of {row['n_planned']}"


def _now_load(so_far: SoFar) -> str:
    step = so_far.current
    if step is None:
        return _between(so_far)
    count = sum(each["stack"] == step["stack"] for each in so_far.steps)
    where = f"{step['title']}, level {step['number']} of {count}"
    level = so_far.level_of(step)
    if level is None:
        return f"{where}: getting ready (the server, and the client's own error)"
    return f"{where}: {load_words(level)}"


def _between(so_far: SoFar) -> str:
    if so_far.run["status"] != "running":
        return f"This run is {so_far.run['status']}."
    return "no request is under way: a stack is built, or what there is is looked at"


def _last(sample: Mapping[str, Any]) -> str:
    kind = "warm-up" if sample["is_warmup"] else "iteration"
    where = f"block {sample['block']}, {sample['title']}, {kind} {sample['iteration']}"
    if sample["failure"]:
        return f"{where} failed: {shorten(sample['failure'])}"
    e2e, ttft, tpot = (spell_time(sample[name]) for name in ("e2e_ms", "ttft_ms", "tpot_ms"))
    rate = spell_number(sample["decode_tokens_per_s"])
    return f"{where}: E2E {e2e}, TTFT {ttft}, TPOT {tpot}, {rate} tok/s"


def _notes(stacks: Rows, levels: Rows) -> Iterator[str]:
    for row in stacks:
        if row["error"]:
            yield f"{row['title']} ended early: {shorten(row['error'])}"
        elif row["n_failed"]:
            yield (
                f"{row['title']}: {row['n_failed']} of {row['n_timed']} requests failed, "
                f"the last: {shorten(row['failure'])}"
            )
    for row in levels:
        where = f"{row['title']}, {load_words(row)}"
        if row["n_failed"]:
            yield f"{where}: {row['n_failed']:,} of {row['n']:,} failed: {row['failures']}"
        if row["error"]:
            yield f"{where} was broken off: {shorten(row['error'])}"


def _goes_on(study: Mapping[str, Any]) -> str:
    if not study.get("until_ci"):
        return ""
    limit = study.get("max_iterations")
    most = f", or {limit} iterations" if limit else ""
    return f"then on until every interval is within ±{study['until_ci']}{most}"
