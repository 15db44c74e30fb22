"""A run that is going on, in the words and tables that a live view shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from python_runner.analyse.live import (
    ProbeNoise,
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
from python_runner.store import RunKind

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
    stacks: pd.DataFrame
    """`live_stacks`' rows; of a load, those of stacks that ended early are looked at only."""
    levels: pd.DataFrame
    """Of a load: `live_levels`' rows with `title` and `language` of their stack."""
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
class SoFar:
    """A run as it was stored up to now; see `store.follow.Followed` for the tables."""

    run: Mapping[str, Any]
    conditions: pd.DataFrame
    steps: pd.DataFrame
    levels: pd.DataFrame
    measured: pd.DataFrame
    """All samples with their figures (`request_metrics`)."""
    points: Mapping[int, pd.DataFrame]
    """Of a load: `request_points` of each level."""

    @property
    def current(self) -> Mapping[Any, Any] | None:
        """The step that is under way."""
        begun = self.steps[self.steps["began_ns"].notna() & self.steps["ended_ns"].isna()]
        going = begun[~begun["stack"].isin(self.ended)]
        return None if going.empty else going.to_dict(orient="records")[-1]

    @property
    def ended(self) -> frozenset[str]:
        """Stacks that ended before their time."""
        return frozenset(self.conditions.loc[self.conditions["error"] != "", "stack"])

    @property
    def is_load(self) -> bool:
        return bool(self.run["kind"] == RunKind.LOAD)


def live_run(so_far: SoFar) -> LiveRun:
    """Put a run that goes on into words and tables."""
    run, conditions = so_far.run, so_far.conditions
    study = json.loads(str(run["study_json"]) or "{}")
    stacks = live_stacks(so_far.steps, conditions, so_far.measured)
    levels = _with_titles(live_levels(so_far.levels, so_far.points), conditions)
    model = model_label(conditions) or each_once(_as_several(study.get("model", "unknown model")))
    # Only what is wrong with the figures: that the run is not complete, its reader knows.
    as_complete = {**run, "status": "complete"}
    is_synthetic = bool(conditions["is_synthetic"].any())
    return LiveRun(
        run_id=int(run["run_id"]),
        is_over=run["status"] != "running",
        is_interrupted=run["status"] == "interrupted",
        heading=f"Run {run['run_id']}: {model}",
        work=_work(study, conditions),
        now=_now_load(so_far) if so_far.is_load else _now(so_far, stacks),
        last="" if so_far.is_load else _last(so_far.measured),
        stacks=stacks,
        levels=levels,
        is_load=so_far.is_load,
        noise=probe_noise(so_far.measured),
        notes=tuple(_notes(stacks, levels)),
        warnings=tuple(condition_warnings(conditions, as_complete, is_synthetic=is_synthetic)),
        goes_on=_goes_on(study),
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
            f"{workload.get('prompt_tokens', '?')} prompt tokens",
            f"{workload.get('new_tokens', '?')} new tokens",
        ]
    )


def _now(so_far: SoFar, stacks: pd.DataFrame) -> str:
    step = so_far.current
    if step is None:
        return _between(so_far)
    row = stacks.set_index("stack").loc[step["stack"]]
    blocks = so_far.steps["number"].nunique()
    where = f"block {step['number']} of {blocks}, {row['title']}"
    if row["state"] == StackState.LOADING.value:
        return f"{where}: loading the model"
    done, warm = _done_in(so_far, step)
    asked = int(step["requests"])
    if done >= asked:
        return f"{where}: stopping it"
    if done < asked - int(step["timed"]):
        return f"{where}: warm-up ({warm + 1} of {asked - int(step['timed'])} in this block)"
    return f"{where}: iteration {row['n_timed'] + 1} of {row['n_planned']}"


def _done_in(so_far: SoFar, step: Mapping[Any, Any]) -> tuple[int, int]:
    """Requests of a visit that are over, and how many of them were warm-up."""
    measured = so_far.measured
    mine = measured[(measured["stack"] == step["stack"]) & (measured["block"] == step["number"])]
    return len(mine), int(mine["is_warmup"].astype(bool).sum())


def _now_load(so_far: SoFar) -> str:
    step = so_far.current
    if step is None:
        return _between(so_far)
    mine = so_far.steps["stack"] == step["stack"]
    where = f"{step['title']}, level {step['number']} of {int(mine.sum())}"
    found = so_far.levels[
        (so_far.levels["stack"] == step["stack"]) & (so_far.levels["number"] == step["number"])
    ]
    if found.empty:
        return f"{where}: getting ready (server, or the client's own error)"
    return f"{where}: {load_words(found.to_dict(orient='records')[0])}"


def _between(so_far: SoFar) -> str:
    if so_far.run["status"] != "running":
        return f"This run is {so_far.run['status']}."
    return "no request is under way: a stack is built, or what there is is looked at"


def _last(measured: pd.DataFrame) -> str:
    from python_runner.report.units import spell_number, spell_time

    if measured.empty:
        return ""
    row = measured.to_dict(orient="records")[-1]
    kind = "warm-up" if row["is_warmup"] else "iteration"
    where = f"block {row['block']}, {row['title']}, {kind} {row['iteration']}"
    if row["failure"]:
        return f"{where} failed: {shorten(row['failure'])}"
    return (
        f"{where}: E2E {spell_time(row['e2e_ms'])}, TTFT {spell_time(row['ttft_ms'])}, "
        f"TPOT {spell_time(row['tpot_ms'])}, {spell_number(row['decode_tokens_per_s'])} tok/s"
    )


def _notes(stacks: pd.DataFrame, levels: pd.DataFrame) -> Iterator[str]:
    for row in stacks.to_dict(orient="records"):
        if row["error"]:
            yield f"{row['title']} ended early: {shorten(row['error'])}"
        elif row["n_failed"]:
            yield (
                f"{row['title']}: {row['n_failed']} of {row['n_timed']} requests failed, "
                f"the last: {shorten(row['failure'])}"
            )
    for row in levels.to_dict(orient="records"):
        where = f"{row['title']}, {load_words(row)}"
        if row["n_failed"]:
            yield f"{where}: {row['n_failed']:,} of {row['n']:,} failed: {row['failures']}"
        if row["error"]:
            yield f"{where} was broken off: {shorten(row['error'])}"


def _with_titles(levels: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    stacks = conditions.set_index("stack")
    return levels.assign(
        title=levels["stack"].map(stacks["title"]),
        language=levels["stack"].map(stacks["language"]),
    )


def _goes_on(study: Mapping[str, Any]) -> str:
    if not study.get("until_ci"):
        return ""
    limit = study.get("max_iterations")
    most = f", or {limit} iterations" if limit else ""
    return f"then on until every interval is within ±{study['until_ci']}{most}"
