"""`polystack rescue`: what can be saved of a damaged store."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.options import ResultsOption

if TYPE_CHECKING:
    from python_runner.store.rescue import Rescued


def rescue(
    store: Annotated[
        Path | None,
        typer.Argument(help="The damaged file.", show_default="polystack.sqlite of the results"),
    ] = None,
    *,
    output_folder: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="New folder for the new store.", show_default="beside the file"
        ),
    ] = None,
    results: ResultsOption = None,
) -> None:
    """Save what can be saved of a damaged store into a new one; the damaged file stays."""
    from python_runner.common.errors import UsageError
    from python_runner.store.rescue import rescue as save

    damaged = store or output.Results.at(results).store
    folder = output_folder or _free_name(damaged.parent)
    if folder.exists():
        raise UsageError(f"{folder} is there already", hint="Name a new folder with --output.")
    _tell(damaged, save(damaged, folder), folder)


def _free_name(parent: Path) -> Path:
    number = 1
    while (parent / f"rescued-{number}").exists():
        number += 1
    return parent / f"rescued-{number}"


def _tell(damaged: Path, found: Rescued, folder: Path) -> None:
    for table in found.tables:
        if table.saved or table.lost or table.may_have_more:
            more = " at least" if table.may_have_more else ""
            lost = f",{more} {table.lost} lost" if table.lost or more else ""
            output.say(f"{table.name}: {table.saved} {_rows(table.saved)} saved{lost}")
    if not found.is_proven:
        output.say(
            "The file has no checksums that can be used: what is saved is as it reads, and nobody "
            "can tell whether a figure in it has changed."
        )
    for run in found.cut_runs:
        output.say(f"Run {run} is not whole any more, and is marked as interrupted.")
    place = shlex.quote(str(folder))
    output.say(f"Saved into {found.path}; {damaged} is as it was.")
    output.say(f"Look at it: polystack runs --results {place}")
    for run in found.cut_runs[:1]:
        output.say(f"Make up for what is lost: polystack resume {run} --results {place}")


def _rows(count: int) -> str:
    return "row" if count == 1 else "rows"
