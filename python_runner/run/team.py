"""Decide for a team by stored runs: read them, see that they belong together, and rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from python_runner.analyse.answers import with_answers
from python_runner.analyse.decision import COLUMNS, Decision, decide, figures_of_runs
from python_runner.common.errors import UsageError
from python_runner.engines.catalogue import catalogue
from python_runner.store import Frames, RunKind, Store, read_frames
from python_runner.study import Team

_MUST_AGREE = ("model", "device")


@dataclass(frozen=True, kw_only=True)
class DecidedRuns:
    """A decision, and the runs that it rests on."""

    decision: Decision
    frames: Frames
    warnings: tuple[str, ...]
    """Conditions in which the runs differ."""


def decide_by_runs(
    team: Team,
    store: Store,
    run_ids: Sequence[int] | None = None,
    *,
    upkeep: pd.DataFrame | None = None,
) -> DecidedRuns:
    """Decide by these runs.

    Args:
        team: for whom.
        store: where the runs are.
        run_ids: which; None: the latest complete comparison.
        upkeep: measured upkeep, a frame of figures; None: none was measured.

    Raises:
        UsageError: there is no such run, or the runs do not belong together.
    """
    chosen = list(run_ids) if run_ids else [_latest(read_frames(store, only_outcomes=True).runs)]
    frames = read_frames(store, chosen)
    _see_that_they_agree(frames)
    conditions = with_answers(frames.conditions, frames.answers)
    parts = [] if upkeep is None else [upkeep]
    parts.append(figures_of_runs(frames.samples, conditions))
    frame = pd.concat([part[list(COLUMNS)] for part in parts if len(part)] or parts)
    devices = [str(device) for device in frames.conditions["device"].unique()]
    measured_on = "cpu" if devices == ["cpu"] else "gpu"
    return DecidedRuns(
        decision=decide(team, frame, catalogue(), measured_on=measured_on),
        frames=frames,
        warnings=tuple(_differences(frames)),
    )


def _latest(runs: pd.DataFrame) -> int:
    complete = runs[(runs["kind"] == RunKind.COMPARISON.value) & (runs["status"] == "complete")]
    if not len(complete):
        raise UsageError(
            "there is no complete comparison to decide by",
            hint="Run `polystack compare`, or name runs with --runs; `polystack runs` lists them.",
        )
    return int(complete["run_id"].iloc[-1])


def _see_that_they_agree(frames: Frames) -> None:
    values: dict[str, Mapping[int, str]] = {
        name: dict(zip(frames.conditions["run_id"], frames.conditions[name], strict=True))
        for name in _MUST_AGREE
    }
    values["machine"] = {
        int(run["run_id"]): str(run["host"]["cpu"]) for run in frames.runs.to_dict("records")
    }
    for name, by_run in values.items():
        if len(set(by_run.values())) > 1:
            spelled = ", ".join(f"run {run}: {value}" for run, value in by_run.items())
            raise UsageError(
                f"the runs differ in {name} ({spelled}), so their figures do not belong together",
                hint="Decide by runs of one model on one machine.",
            )
    compared = frames.conditions[~frames.conditions["run_id"].isin(_loads(frames))]
    twice = compared[compared["stack"].duplicated()]["stack"].unique()
    if len(twice):
        raise UsageError(
            f"more than one of these runs compares {', '.join(twice)}",
            hint="Name one comparison for each stack; a load may stand beside it.",
        )


def _loads(frames: Frames) -> list[int]:
    loads = frames.runs[frames.runs["kind"] == RunKind.LOAD.value]
    return [int(run) for run in loads["run_id"]]


def _differences(frames: Frames) -> list[str]:
    found = []
    for name in ("precision", "threads"):
        by_run = dict(zip(frames.conditions["run_id"], frames.conditions[name], strict=True))
        if len(set(by_run.values())) > 1:
            spelled = ", ".join(f"run {run} {value}" for run, value in by_run.items())
            found.append(f"The runs differ in {name}: {spelled}.")
    return found
