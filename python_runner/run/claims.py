"""Hold stored runs against claims: find the claims, judge each run by itself, say what to run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from python_runner.analyse.answers import with_answers
from python_runner.analyse.claims import RunFrames, RunJudgement, judge_claims, not_pooled
from python_runner.common.errors import UnknownNameError, UsageError
from python_runner.common.variants import parse_stack
from python_runner.engines.table import built_engine_names, engine_names
from python_runner.store import Frames, Store, read_frames
from python_runner.study import Claims, Study, claims_names, load_claims, load_study

_OPTIONS = ("model", "precision", "device", "threads", "context", "iterations", "warmup", "seed")
_LOAD_OPTIONS = frozenset(
    ("--model", "--threads", "--context", "--seed", "--prompt-tokens", "--new-tokens")
)
_WORKLOAD = ("prompt_tokens", "prompts", "new_tokens", "stop", "template")


@dataclass(frozen=True, kw_only=True)
class JudgedRun:
    """One run, held against the claims."""

    frames: Frames
    judgement: RunJudgement
    to_run: str
    """The command whose run has what this one lacks; empty: it lacks nothing."""


@dataclass(frozen=True, kw_only=True)
class JudgedRuns:
    """Runs side by side, each judged by itself."""

    claims: Claims
    runs: tuple[JudgedRun, ...]
    warning: str
    """Why the columns must not be compared; empty: they may be."""


def judge_runs(
    store: Store,
    run_ids: Sequence[int],
    *,
    claims: str | None = None,
    ablations: Sequence[int] = (),
    path: str | None = None,
) -> JudgedRuns:
    """Judge each run by the claims of its study.

    Args:
        store: where the runs are.
        run_ids: at least one.
        claims: a claim file or its name; None: those that the studies of the runs name.
        ablations: runs in which a cause was taken away, see `judge_claims`.
        path: only stacks that were reached that way (`embedded`, `served`); None: all.

    Raises:
        UsageError: the runs have no claims, or not the same ones.
        StudyError: the claim file is not valid.
    """
    read = {run_id: read_frames(store, [run_id]) for run_id in (*run_ids, *ablations)}
    frames = {run_id: _run_frames(found) for run_id, found in read.items()}
    found = load_claims(claims or _claims_of([frames[run_id] for run_id in run_ids]))
    runs = []
    for run_id in run_ids:
        mine = frames[run_id].of_path(path) if path else frames[run_id]
        judgement = judge_claims(
            found,
            mine,
            ablations=[frames[other] for other in ablations],
            buildable=built_engine_names(),
        )
        to_run = command_for(frames[run_id], judgement)
        runs.append(JudgedRun(frames=read[run_id], judgement=judgement, to_run=to_run))
    warning = not_pooled([frames[run_id] for run_id in run_ids])
    return JudgedRuns(claims=found, runs=tuple(runs), warning=warning)


def claims_of_study(study: Study) -> Claims | None:
    """The claims that the study names, read and checked; None if it names none.

    Raises:
        UnknownNameError: there are no such claims.
        StudyError: the claim file is not valid.
    """
    return load_claims(study.claims) if study.claims else None


def command_for(frames: RunFrames, judgement: RunJudgement) -> str:
    """What to type for a run like this one that has what it lacks; empty: it lacks nothing.

    Of a server that runs by itself nobody knows how to start it, and nothing is offered.
    """
    if not (judgement.missing or judgement.users or judgement.seconds):
        return ""
    study = frames.study
    stacks = [str(name) for name in frames.conditions["stack"]]
    wanted = [*stacks, *(name for name in judgement.missing if name not in stacks)]
    wanted = [name for name in wanted if name in stacks or _is_known(name)]
    if len(wanted) == len(stacks) and not (judgement.users or judgement.seconds):
        return ""
    name = str(study.get("name", "")) or "languages"
    changed = _changed(study, _shipped(name))
    if not frames.is_load:
        what = [f"compare {shlex.quote(name)} --stacks {shlex.quote(','.join(wanted))}", *changed]
        return " ".join(["polystack", *what])
    if (frames.conditions["threads"] == 0).any():
        return ""
    what = [f"load --study {shlex.quote(name)} --engine {shlex.quote(','.join(wanted))}"]
    users = sorted({*(int(one) for one in frames.levels["users"].dropna()), *judgement.users})
    what.append(f"--users {','.join(str(one) for one in users)}")
    if judgement.seconds:
        what.append(f"--duration {judgement.seconds:.0f}s")
    options = (option for option in changed if option.split()[0] in _LOAD_OPTIONS)
    return " ".join(["polystack", *what, *options])


def _is_known(name: str) -> bool:
    """Whether this version has such an engine; claims name those that it has not, too."""
    return parse_stack(name).base in engine_names(include_hidden=True)


def _shipped(name: str) -> Mapping[str, Any]:
    """The values of a study that comes with the workbench; of another one nothing is known."""
    try:
        return load_study(name).model_dump(mode="json")
    except UnknownNameError:
        return {}


def _changed(study: Mapping[str, Any], shipped: Mapping[str, Any]) -> Iterator[str]:
    """The options with which the run was made, as far as they differ from its study."""
    for table, default, names in (
        (study, shipped, _OPTIONS),
        (study.get("workload", {}), shipped.get("workload", {}), _WORKLOAD),
    ):
        for name in names:
            value = table.get(name)
            value = value[0] if isinstance(value, list) and len(value) == 1 else value
            usual = default.get(name)
            usual = usual[0] if isinstance(usual, list) and len(usual) == 1 else usual
            if value is None or isinstance(value, list) or value == usual:
                continue
            yield f"--{name.replace('_', '-')} {shlex.quote(str(value))}"


def _run_frames(frames: Frames) -> RunFrames:
    run = {str(key): value for key, value in frames.runs.iloc[0].items()}
    conditions = with_answers(frames.conditions, frames.answers)
    return RunFrames(
        samples=frames.samples,
        conditions=conditions,
        run=run,
        requests=frames.load_requests,
        levels=frames.load_levels,
    )


def _claims_of(runs: Sequence[RunFrames]) -> str:
    """The one name that all these runs' studies agree on."""
    names = {run.run_id: _named(run) for run in runs}
    without = [run_id for run_id, name in names.items() if not name]
    if without:
        raise UsageError(
            f"run {without[0]} belongs to a study without claims",
            hint=f"Name them with --claims: {', '.join(claims_names())}, or a file of yours.",
        )
    if len(set(names.values())) > 1:
        raise UsageError(
            "these runs belong to different claims: "
            + ", ".join(f"run {run_id} to {json.dumps(name)}" for run_id, name in names.items()),
            hint="Name the claims that all of them are to be held against with --claims.",
        )
    return next(iter(names.values()))


def _named(run: RunFrames) -> str:
    """What the stored study says; of older runs, the claims that lie beside the study."""
    named, name = run.study.get("claims"), str(run.run["study"])
    return str(named) if named else name if name in claims_names() else ""
