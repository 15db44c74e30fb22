"""Decide for a team by stored runs: read them, see that they belong together, and rank."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from python_runner.analyse.answers import with_answers
from python_runner.analyse.decision import COLUMNS, Decision, decide, figures_of_runs
from python_runner.common.errors import UsageError
from python_runner.common.variants import parse_stack
from python_runner.engines.catalogue import catalogue
from python_runner.engines.outside import UNKNOWN
from python_runner.engines.table import engine_names
from python_runner.store import Frames, RunKind, Store, read_frames
from python_runner.study import Team

_MUST_AGREE = ("model", "device")


Upkeep = Callable[[Frames, Sequence[str]], pd.DataFrame]
"""Runs and names of stacks to what owning those costs: a frame of figures."""


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
    upkeep: Upkeep | None = None,
) -> DecidedRuns:
    """Decide by these runs.

    Args:
        team: for whom.
        store: where the runs are.
        run_ids: which; None: the latest complete comparison, and of each stack the latest load
            with the same model on the same machine.
        upkeep: gives measured upkeep; None: none was measured.

    Raises:
        UsageError: there is no such run, or the runs do not belong together.
    """
    frames = read_frames(store, list(run_ids) if run_ids else _latest(store))
    frames, left_out = _without_endpoints(frames)
    _see_that_they_agree(frames)
    conditions = with_answers(frames.conditions, frames.answers)
    # Comparisons first: what they have counts before what was seen under load.
    conditions = conditions.sort_values(
        by="run_id", key=lambda ids: ids.isin(_loads(frames)), kind="stable"
    )
    parts = [figures_of_runs(frames.samples, conditions)]
    if upkeep is not None:
        parts.append(upkeep(frames, _engines_among(conditions["stack"])))
    frame = pd.concat([part[list(COLUMNS)] for part in parts])
    devices = set(frames.conditions["device"])
    return DecidedRuns(
        decision=decide(
            team, frame, catalogue(), measured_on="cpu" if devices <= {"cpu"} else "gpu"
        ),
        frames=frames,
        warnings=(*left_out, *_differences(frames)),
    )


def _without_endpoints(frames: Frames) -> tuple[Frames, tuple[str, ...]]:
    """The runs without the endpoints that comparisons had, and what is to be said of those."""
    rows = frames.conditions
    is_endpoint = (rows["device"] == UNKNOWN) & ~rows["run_id"].isin(_loads(frames))
    if not is_endpoint.any():
        return frames, ()
    gone = rows.loc[is_endpoint, "condition_id"]
    said = (
        f"{name} is left out: somebody else runs it, and what owning it takes is not known."
        for name in rows.loc[is_endpoint, "title"].unique()
    )
    samples = frames.samples[~frames.samples["condition_id"].isin(gone)]
    return replace(frames, conditions=rows[~is_endpoint], samples=samples), tuple(said)


def _engines_among(stacks: Iterable[str]) -> list[str]:
    """Those that are engines of ours, each once: a load may be of a server somewhere else."""
    known = engine_names(include_hidden=True)
    return [name for name in dict.fromkeys(stacks) if parse_stack(name).base in known]


def _latest(store: Store) -> list[int]:
    known = read_frames(store, only_outcomes=True)
    is_complete = known.runs["status"] == "complete"
    compared = known.runs[is_complete & (known.runs["kind"] == RunKind.COMPARISON.value)]
    if not len(compared):
        raise UsageError(
            "there is no complete comparison to decide by",
            hint="Run `polystack compare`, or name runs with --runs; `polystack runs` lists them.",
        )
    latest = int(compared["run_id"].iloc[-1])
    return [latest, *_loads_beside(known, latest)]


def _loads_beside(known: Frames, comparison: int) -> list[int]:
    """The latest load of each stack that was put on the same model and machine."""
    machines = _machines(known)
    mine = known.conditions[known.conditions["run_id"] == comparison].iloc[0]
    loads = known.conditions[known.conditions["run_id"].isin(_loads(known))]
    loads = loads[loads["stack"].isin(_engines_among(loads["stack"]))]
    alike = loads[
        (loads["model"] == mine["model"])
        & (loads["device"] == mine["device"])
        & (loads["run_id"].map(machines) == machines[comparison])
    ]
    return sorted({int(run) for run in alike.groupby("stack")["run_id"].max()})


def _see_that_they_agree(frames: Frames) -> None:
    values: dict[str, Mapping[int, str]] = {
        name: dict(zip(frames.conditions["run_id"], frames.conditions[name], strict=True))
        for name in _MUST_AGREE
    }
    values["machine"] = _machines(frames)
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


def _machines(frames: Frames) -> dict[int, str]:
    """The processor of each run; empty where the run does not say."""
    return {
        int(run): str(host.get("cpu", ""))
        for run, host in zip(frames.runs["run_id"], frames.runs["host"], strict=True)
    }


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
