"""`polystack upkeep`: what owning each stack costs on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.options import ResultsOption
from python_runner.common.errors import INTERRUPTED_EXIT_CODE, EngineError

if TYPE_CHECKING:
    from python_runner.store import Store

_MEMORY = Path(":memory:")


def upkeep(
    *,
    stacks: Annotated[
        str | None, typer.Option(help="Engines, separated by commas; left out: all.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Model whose runs count, and on which stacks are killed.",
            show_default="the last run's; to kill on, the tiny one",
        ),
    ] = None,
    measure_recovery: Annotated[
        bool,
        typer.Option(
            "--measure-recovery",
            help="Kill each stack in mid-answer, and time until it answers again.",
        ),
    ] = False,
    times: Annotated[int, typer.Option(min=1, help="How often each stack is killed.")] = 3,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of each engine that is killed.")
    ] = None,
    sources: Annotated[
        bool, typer.Option("--sources", help="Where each figure comes from.")
    ] = False,
    results: ResultsOption = None,
) -> int:
    """Show what owning each stack costs: builds, sizes, packages, lines, starts, crashes."""
    from python_runner.cli.progress import TerminalProgress
    from python_runner.engines.table import built_engine_names, engine_names
    from python_runner.report.terminal.upkeep import upkeep_report
    from python_runner.run.upkeep import crash_test, recovery_study, upkeep_of
    from python_runner.store import read_frames

    # What the user would have to bring is shown, and not killed unless it is named.
    every = built_engine_names() if measure_recovery else engine_names()
    names = list(every) if stacks is None else output.split_names(stacks)
    place = output.Results.at(results)
    failed: dict[str, str] = {}
    with _store(place, create=measure_recovery) as store:
        if measure_recovery:
            try:
                study = recovery_study(names, model=model, threads=threads, times=times)
                progress = TerminalProgress(output.console())
                failed = crash_test(study, store, times=times, logs=place.logs, progress=progress)
            except KeyboardInterrupt:
                output.say("\nInterrupted. The crashes up to here are kept.")
                return INTERRUPTED_EXIT_CODE
        table = upkeep_of(read_frames(store), names, model=model)
    output.console().print(upkeep_report(table, with_sources=sources))
    for stack, reason in failed.items():
        output.say(f"{stack} was not seen to come back: {reason}")
    return EngineError.exit_code if failed else 0


def _store(place: output.Results, *, create: bool) -> Store:
    """The user's store; an empty one in memory where there is none and none is to be made."""
    from python_runner.store import Store, default_store_path

    path = place.folder / default_store_path().name
    return place.open_store(create=create) if create or path.is_file() else Store(_MEMORY)
