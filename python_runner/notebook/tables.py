"""`load`: stored runs as tidy frames, in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from python_runner.analyse.answers import with_answers
from python_runner.analyse.columns import COLUMNS
from python_runner.analyse.summary import summarise
from python_runner.analyse.tables import comparison_tables, in_order, load_tables, named
from python_runner.common.errors import UnknownNameError, UsageError
from python_runner.notebook.places import What, find, run_ids
from python_runner.report.facts import RunFacts, run_facts
from python_runner.report.load_data import load_data
from python_runner.report.load_facts import load_facts
from python_runner.store import Frames, RunKind, read_frames

ATTRIBUTE = "polystack"
"""In a frame's `attrs`: the conditions of its runs, in words, for captions."""


def load(*what: What, rows: str = "requests", results: What | None = None) -> pd.DataFrame:
    """Stored runs as a tidy frame: one row for each request, or for what `rows` says.

    Args:
        what: runs by number, `"latest"` or `"all"`; none: the latest. A place may stand
            first: `"sample"`, a folder of results, or a store's file.
        rows: what a row is. Of a comparison: `requests`, `tokens`, `stages` (a row for each
            stage of each request), `stacks` (medians), `pairs` (what may be said of two
            stacks), `fairness` (what was equal), `answers`. Of a load: `requests`, `chunks`,
            `levels`, `fairness`.
        results: the place, if it does not stand first; by default `POLYSTACK_RESULTS`, or
            `results/` where you stand or in the checkout that you stand in.

    Returns:
        Times in ms, stamps (`_ns`) in ns, rates in tokens per second; `columns(rows)` says
        what each column means. Warm-up and failed requests are rows, too: `is_warmup`,
        `outcome`. `attrs["polystack"]` holds the conditions of the runs in words.

    Raises:
        UsageError: no such table, or runs of both kinds, whose rows are not the same.
        UnknownNameError: no such run.
        StoreError: there are no results, or they cannot be read.

    Examples:
        `load()`, `load(3, 5)`, `load("sample")`, `load("sample", rows="tokens")`,
        `load("other/results", "latest", rows="pairs")`
    """
    place, names = find(what, results)
    with place.open() as store:
        frames = read_frames(store, run_ids(store, names))
    return table_of(frames, rows)


def runs(results: What | None = None) -> pd.DataFrame:
    """The stored runs: one row each, with number, study, date, kind, state, stacks and machine.

    Args:
        results: as for `load`.
    """
    place, _ = find((), results)
    with place.open() as store:
        frames = read_frames(store, only_outcomes=True)
    stacks = frames.conditions.groupby("run_id")["title"].agg(", ".join)
    models = frames.conditions.groupby("run_id")["model"].agg(lambda each: ", ".join(set(each)))
    kept = frames.runs[["run_id", "study", "created", "kind", "status"]]
    return kept.assign(
        model=kept["run_id"].map(models),
        stacks=kept["run_id"].map(stacks),
        host_cpu=[host.get("cpu") for host in frames.runs["host"]],
    )


def columns(rows: str = "requests") -> pd.DataFrame:
    """What the columns of a table mean, with their units: one row each.

    Args:
        rows: a table, as for `load`; `requests` and `fairness` of both kinds of runs.

    Raises:
        UnknownNameError: no such table.
    """
    if rows not in COLUMNS:
        raise UnknownNameError("table", rows, COLUMNS)
    notes = COLUMNS[rows]
    described = [
        {"column": name, "unit": notes[name].unit, "meaning": notes[name].meaning}
        for name in in_order(notes)
    ]
    return pd.DataFrame(described).set_index("column")


def table_of(frames: Frames, rows: str) -> pd.DataFrame:
    """The table called `rows` of these runs, with their conditions in `attrs`.

    Raises:
        UsageError: runs of both kinds, whose rows are not the same.
        UnknownNameError: runs of this kind have no such table.
    """
    kinds = {
        str(kind): [int(number) for number in mine]
        for kind, mine in frames.runs.groupby("kind")["run_id"]
    }
    if len(kinds) > 1:
        words = "; ".join(f"{kind}: {', '.join(map(str, ids))}" for kind, ids in kinds.items())
        raise UsageError(
            f"comparisons and loads have other rows, and these runs are both ({words})",
            hint="Load them one kind at a time.",
        )
    is_load = RunKind.LOAD.value in kinds
    tables = load_tables() if is_load else comparison_tables()
    if rows not in tables:
        raise UnknownNameError(f"table of a {'load' if is_load else 'comparison'}", rows, tables)
    found = named(tables[rows](frames)).reset_index(drop=True)
    found.attrs[ATTRIBUTE] = [_words(facts_of(each)) for each in each_run(frames)]
    return found


def each_run(frames: Frames) -> Sequence[Frames]:
    """The frames of each run by itself."""
    return [_of_run(frames, int(number)) for number in frames.runs["run_id"]]


def facts_of(frames: Frames) -> RunFacts:
    """The conditions of one run, in words."""
    if frames.runs["kind"].iloc[0] == RunKind.LOAD.value:
        return load_facts(load_data(frames))
    conditions = with_answers(frames.conditions, frames.answers)
    summary = summarise(frames.samples, conditions)
    return run_facts(frames.samples, conditions, frames.runs, summary)


def _of_run(frames: Frames, run_id: int) -> Frames:
    def mine(table: pd.DataFrame) -> pd.DataFrame:
        return table[table["run_id"] == run_id].reset_index(drop=True)

    answers = frames.answers
    return Frames(
        samples=mine(frames.samples),
        conditions=mine(frames.conditions),
        runs=mine(frames.runs),
        load_levels=mine(frames.load_levels),
        load_requests=mine(frames.load_requests),
        answers=type(answers)(
            checks=mine(answers.checks),
            stacks=mine(answers.stacks),
            answers=mine(answers.answers),
        ),
    )


def _words(facts: RunFacts) -> Mapping[str, Any]:
    # Plain values only: pandas compares and copies attrs, and writes them to Parquet as JSON.
    return {
        "run_id": facts.run_id,
        "model": facts.model,
        "is_synthetic": facts.is_synthetic,
        "work": facts.work,
        "course": facts.course,
        "warnings": list(facts.warnings),
        "notes": list(facts.notes),
    }
