"""The run that is to be explained: its study, its stacks, and what they took."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pydantic import ValidationError

from python_runner.analyse.answers import with_answers
from python_runner.analyse.summary import summarise
from python_runner.common.errors import ModelError, StudyError, UsageError
from python_runner.common.variants import knobs_of, parse_stack
from python_runner.models import find_source
from python_runner.run.why.budget import Figures, Work
from python_runner.run.why.table import Seen
from python_runner.store import Frames, RunKind, Store, read_frames
from python_runner.study import Study

_MS_PER_S = 1000.0


@dataclass(frozen=True, kw_only=True)
class AskedRun:
    """A stored run, as far as ablations of it need it."""

    run_id: int
    study: Study
    """With the model and the number of threads that were really used."""
    stacks: tuple[Seen, ...]
    """Those that gave figures which count, in the order of the study."""
    struck: Mapping[str, str]
    """Titles of those whose answers are wrong, with the reason: their speed explains nothing."""
    figures: Mapping[str, Figures]
    work: Work
    cpu: str
    source_sha256: str


def asked_run(store: Store, run_id: int) -> AskedRun:
    """Read it. A run that was itself made to explain another stands for that other.

    Raises:
        UsageError: a load; a run without figures; or its model is gone.
        StudyError: a study that this version cannot read.
    """
    run_id = explained_by(store, run_id)
    frames = read_frames(store, [run_id])
    run = frames.runs.to_dict(orient="records")[0]
    if run["kind"] != RunKind.COMPARISON.value:
        raise UsageError(
            f"run {run_id} is a load, and ablations look at one request at a time",
            hint="Compare its stacks first: polystack compare --stacks ...",
        )
    study = _study_of(run_id, str(run["study_json"]))
    summary = summarise(frames.samples, with_answers(frames.conditions, frames.answers))
    counts = summary["e2e_ms"].notna() & (summary["struck"] == "")
    measured = summary[counts].sort_values("condition_id")
    struck = summary[summary["struck"] != ""].set_index("title")["struck"]
    if measured.empty:
        raise UsageError(
            f"run {run_id} has no complete request that counts, so there is nothing to explain",
            hint="`polystack runs` lists the runs.",
        )
    conditions = frames.conditions.set_index("condition_id")
    rows = conditions.loc[measured["condition_id"]]
    return AskedRun(
        run_id=run_id,
        study=_pinned(study, rows, run_id),
        struck={str(title): str(reason) for title, reason in struck.items()},
        stacks=tuple(_seen(row) for row in rows.to_dict(orient="records")),
        figures={str(row["stack"]): _figures(row) for row in measured.to_dict(orient="records")},
        work=_work(frames, measured),
        cpu=str(run["host"].get("cpu", "")),
        source_sha256=str(rows["source_sha256"].iloc[0]),
    )


def explained_by(store: Store, run_id: int) -> int:
    """The run that this one was made to explain; else this one itself."""
    query = "SELECT json_extract(study_json, '$.explains') FROM runs WHERE run_id = ?"
    (asked,) = store.connection.execute(query, (run_id,)).fetchone()
    return run_id if asked is None else int(asked)


def runs_explaining(store: Store, run_id: int) -> list[int]:
    """The runs that were made to explain this one, oldest first."""
    rows = store.connection.execute(
        "SELECT run_id FROM runs WHERE json_extract(study_json, '$.explains') = ? ORDER BY run_id",
        (run_id,),
    )
    return [found for (found,) in rows]


def weights_of(store: Store, run_id: int) -> set[str]:
    """Hashes of the sources of the weights that its stacks had."""
    query = "SELECT DISTINCT source_sha256 FROM conditions WHERE run_id = ?"
    return {str(found) for (found,) in store.connection.execute(query, (run_id,))}


def with_changes(study: Study, changes: Mapping[str, object]) -> Study:
    """The study with some keys changed, checked like any other."""
    document = json.loads(study.model_dump_json()) | changes
    return Study.model_validate_json(json.dumps(document))


def _study_of(run_id: int, text: str) -> Study:
    try:
        return Study.model_validate_json(text)
    except ValidationError as error:
        raise StudyError(
            f"the study of run {run_id} cannot be read by this version of polystack: "
            f"{error.errors()[0]['msg'].lower()}",
            hint="Run it again with `polystack compare`, then ask about that run.",
        ) from error


def _pinned(study: Study, rows: pd.DataFrame, run_id: int) -> Study:
    """The study with what was really run, where it left a choice."""
    common = [
        int(row["threads"])
        for row in rows.to_dict(orient="records")
        if "threads" not in knobs_of(str(row["stack"]))
    ]
    return with_changes(
        study,
        {
            "model": [_reference(study, str(rows["model"].iloc[0]), run_id)],
            **({"threads": common[0]} if common else {}),
        },
    )


def _reference(study: Study, model: str, run_id: int) -> str:
    """The one of the study's models that was run."""
    for reference in study.model:
        try:
            if find_source(reference).name == model:
                return reference
        except (UsageError, ModelError):
            continue
    raise UsageError(
        f"{model}, the model of run {run_id}, is not there any more",
        hint="Put it back to where it was: " + ", ".join(study.model) + ".",
    )


def _seen(row: Mapping[Any, Any]) -> Seen:
    return Seen(
        name=parse_stack(str(row["stack"])),
        title=str(row["title"]),
        precision=str(row["precision"]),
        threads=int(row["threads"]),
    )


def _work(frames: Frames, measured: pd.DataFrame) -> Work:
    samples = frames.samples
    visits = int(samples["block"].nunique()) if "block" in samples else 1
    return Work(visits=visits, requests=int((measured["n_timed"] + measured["n_warmup"]).max()))


def _figures(row: Mapping[Any, Any]) -> Figures:
    load_s = float(row["load_seconds"])
    return Figures(load_s=load_s if math.isfinite(load_s) else 0.0, e2e_s=row["e2e_ms"] / _MS_PER_S)
