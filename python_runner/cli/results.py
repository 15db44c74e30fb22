"""`polystack runs`, `show`, `time`, `plot`, `export`: look at what is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from python_runner.cli import output
from python_runner.cli.options import ResultsOption, RunArgument
from python_runner.cli.study import show_table

_MOST = 3
"""Runs that are named with what to type."""


def runs(*, results: ResultsOption = None) -> None:
    """List the stored runs."""
    from python_runner.report.terminal import runs_table
    from python_runner.run.resume.allowed import resumable_runs
    from python_runner.store import read_frames

    with output.Results.at(results).open_store() as store:
        frames = read_frames(store, only_outcomes=True)
        resumable = resumable_runs(store)
    output.console().print(runs_table(frames, resumable))
    if frames.damage:
        from python_runner.store.connection import rescue_hint

        output.say(f"Damaged, and left out: {frames.damage.spelled()}. {rescue_hint(store.path)}")
    if resumable:
        commands = ", ".join(f"polystack resume {run_id}" for run_id in resumable[-_MOST:])
        output.say(f"What was interrupted can go on: {commands}")


def show(run: RunArgument = "latest", *, results: ResultsOption = None) -> None:
    """Show one run: table, conditions, build flags, every sample or every level."""
    with output.Results.at(results).open_store() as store:
        run_id = store.find_run(run)
        output.console().print(output.report(store, run_id).detail())
        show_table(store, run_id)


def time(run: RunArgument = "latest", *, results: ResultsOption = None) -> None:
    """Show where the time of one run's requests goes, and what a token takes from the machine."""
    with output.Results.at(results).open_store() as store:
        found = output.report(store, store.find_run(run))
    output.console().print(found.stages())


def plot(run: RunArgument = "latest", *, results: ResultsOption = None) -> None:
    """Draw the pictures of a stored run again."""
    place = output.Results.at(results)
    with place.open_store() as store:
        output.draw(store, store.find_run(run), place)


def export(
    run: RunArgument = "latest",
    *,
    format_name: Annotated[str, typer.Option("--format", help="csv, parquet or json.")] = "csv",
    output_path: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write.", show_default="by run")
    ] = None,
    results: ResultsOption = None,
) -> None:
    """Write a run as a tidy table: a row for each request, and a row for each token."""
    from python_runner.report.published import write_published
    from python_runner.run.published import table_of_run
    from python_runner.run.published.answers import write_answers

    place = output.Results.at(results)
    with place.open_store() as store:
        run_id = store.find_run(run)
        found = output.report(store, run_id)
        table = table_of_run(store, run_id)
        target = output_path or place.pictures(run_id) / f"{found.table_name}.{format_name}"
        with place.writing(target.parent):
            answers = write_answers(store, run_id, target.parent)
    for path in found.export(format_name, target):
        output.say(str(path))
    if table is not None:
        with place.writing(target.parent):
            published = write_published(table, target.parent)
        for path in (*published, *answers):
            output.say(str(path))
