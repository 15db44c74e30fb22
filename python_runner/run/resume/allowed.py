"""Which runs can go on, and why others cannot."""

from __future__ import annotations

import json

from python_runner.common.errors import StudyError, UsageError
from python_runner.common.process_mark import Life
from python_runner.models import find_source
from python_runner.store import Store
from python_runner.store.interrupted import StoredRun, read_stored_run
from python_runner.study import Study

COMPLETE = "complete"


def can_go_on(stored: StoredRun) -> bool:
    """Whether a run did not come to its end, and nobody is at it."""
    if stored.status == COMPLETE:
        return False
    return stored.status != "running" or stored.life is not Life.RUNS


def resumable_runs(store: Store) -> list[int]:
    """Runs that did not come to their end and whose process is gone, oldest first."""
    query = "SELECT run_id FROM runs WHERE status != 'complete' ORDER BY run_id"
    ids = [run_id for (run_id,) in store.connection.execute(query)]
    return [run_id for run_id in ids if can_go_on(read_stored_run(store, run_id))]


def require_nobody_at_it(stored: StoredRun, *, has_ended: bool) -> None:
    """Raise UsageError if the run's process still runs, or may.

    Args:
        stored: the run.
        has_ended: the user knows that it does not.
    """
    if stored.status != "running" or stored.life is Life.GONE:
        return
    run = stored.run_id
    if stored.life is Life.RUNS:
        raise UsageError(
            f"run {run} is still being measured",
            hint=f"Look at it with `polystack watch {run}`, or end its process first.",
        )
    if not has_ended:
        raise UsageError(
            f"run {run} was begun in another container, where its process may still run",
            hint="If you know that it has ended: --has-ended.",
        )


def study_of(stored: StoredRun) -> Study:
    """The study of a run, as it was given.

    Raises StudyError if this polystack does not understand it.
    """
    try:
        whole = Study.model_validate_json(stored.study_json)
        given = stored.asked.get("study")
        if given is None:
            return whole
        # What was left to its defaults is not the same as what was asked for: see `as shipped`.
        study = Study.model_validate_json(json.dumps(given))
    except ValueError as error:
        raise StudyError(
            f"the study of run {stored.run_id} cannot be read: {error}",
            hint="It was stored by another polystack. Begin a new run.",
        ) from error
    return study if study == whole else whole


def with_its_model(study: Study, stored: StoredRun) -> Study:
    """The study with the one model that its run has, where several would do."""
    names = {str(each.row["model"]) for each in stored.stacks.values()}
    same = [each for each in study.model if find_source(each).name in names]
    return study.model_copy(update={"model": tuple(same[:1])}) if same else study
