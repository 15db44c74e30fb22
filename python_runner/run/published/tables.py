"""The table of a published study, read again from its stored runs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from python_runner.analyse.published import PartRun, PublishedTable, published_table
from python_runner.common.errors import UsageError
from python_runner.store import Store, read_frames
from python_runner.study import PublishedMark, load_published, mark_of

_STUDY = "SELECT study_json FROM runs WHERE run_id = ?"
_SERIES = """
SELECT run_id FROM runs
WHERE json_extract(study_json, '$.published.series') = ? ORDER BY run_id
"""


def table_of_run(store: Store, run_id: int) -> PublishedTable | None:
    """The table that this run belongs to, with all runs of its series.

    None if it belongs to no published study, or to one whose file is not there any more.
    """
    mark = mark_in(store, run_id)
    if mark is None:
        return None
    try:
        published = load_published(mark.name)
    except UsageError:
        return None
    runs = [PartRun(read_frames(store, [each])) for each in series_of(store, run_id)]
    return published_table(sorted(runs, key=lambda run: run.mark.part), published)


def table_of_runs(store: Store, run_ids: Sequence[int]) -> PublishedTable | None:
    """The one table that all these runs belong to; None if they do not share one."""
    series = {tuple(series_of(store, run_id)) for run_id in run_ids}
    return table_of_run(store, run_ids[0]) if len(series) == 1 else None


def mark_in(store: Store, run_id: int) -> PublishedMark | None:
    """The mark of a stored run; None if it has none."""
    row = store.connection.execute(_STUDY, (run_id,)).fetchone()
    return mark_of(json.loads(row[0] or "{}")) if row else None


def not_begun(store: Store, run_id: int) -> tuple[int, int]:
    """Of the series that a run belongs to: runs that were never begun, and all that it has."""
    mark = mark_in(store, run_id)
    if mark is None:
        return 0, 1
    marks = (mark_in(store, each) for each in series_of(store, run_id))
    return mark.parts - len({each.part for each in marks if each is not None}), mark.parts


def series_of(store: Store, run_id: int) -> list[int]:
    """All stored runs that were made for the same table, itself among them."""
    mark = mark_in(store, run_id)
    if mark is None or not mark.series:
        return [run_id]
    return [found for (found,) in store.connection.execute(_SERIES, (mark.series,))]
