"""`polystack report`: what runs say, as a page, as Markdown, and for machines."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.opening import OpenOption, is_terminal, may_open, open_page
from python_runner.cli.options import ResultsOption
from python_runner.common.errors import UsageError

if TYPE_CHECKING:
    from python_runner.store import Store


def report(
    runs: Annotated[
        list[str] | None,
        typer.Argument(help="Runs: numbers, or latest. Several make one report."),
    ] = None,
    *,
    format_names: Annotated[
        str,
        typer.Option("--format", help="html, md, json, csv, parquet; several with commas."),
    ] = "html,md,json",
    output_folder: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write to.", show_default="by run"),
    ] = None,
    open_report: OpenOption = None,
    results: ResultsOption = None,
) -> None:
    """Write what runs say: a page, Markdown for a pull request, summary.json for machines."""
    formats = output.split_names(format_names)
    if not formats:
        raise UsageError("--format names no format", hint="Such as html,md,json.")
    place = output.Results.at(results)
    with place.open_store() as store:
        chosen = list(dict.fromkeys(store.find_run(name) for name in runs or ["latest"]))
        written = write(store, chosen, place, formats=formats, folder=output_folder)
    show(written, wanted=open_report)


def write(
    store: Store,
    run_ids: Sequence[int],
    place: output.Results,
    *,
    formats: Sequence[str] | None = None,
    folder: Path | None = None,
) -> list[Path]:
    """Write the report of these runs and print the paths of its files."""
    from python_runner.run.report import USUAL, check_formats, gather, write_report

    wanted = USUAL if formats is None else formats
    check_formats(wanted)
    paths = write_report(
        gather(store, run_ids),
        folder or place.report(run_ids),
        wanted,
        pictures={run_id: place.pictures(run_id) for run_id in run_ids},
    )
    for path in paths:
        output.say(str(path))
    return paths


def show(written: Sequence[Path], *, wanted: bool | None) -> None:
    """Open the page among `written`, if it is wanted or somebody is there to see it."""
    page = next((path for path in written if path.suffix == ".html"), None)
    usual = may_open(os.environ, is_terminal=is_terminal(), platform=sys.platform)
    if page is None or not (usual if wanted is None else wanted):
        return
    if not open_page(page) and wanted:
        output.say("No browser was found to open it with.")
