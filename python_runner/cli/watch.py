"""`polystack watch`: follow a run that is going on, from another terminal."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.options import ResultsOption
from python_runner.common.errors import (
    INTERRUPTED_EXIT_CODE,
    EngineError,
    PolystackError,
    UsageError,
)

if TYPE_CHECKING:
    from rich.console import Console

    from python_runner.report.live_data import LiveRun
    from python_runner.run.watch import Watch
    from python_runner.store import Store

_EVERY_S = 1.0
_DRAWINGS_A_LOOK = 2


def watch(
    run: Annotated[
        str | None,
        typer.Argument(
            help="Number of a run (`polystack runs`) or `latest`.",
            show_default="the one that is going on",
        ),
    ] = None,
    *,
    results: ResultsOption = None,
) -> int:
    """Follow a run that is going on, to its end; Ctrl-C leaves it alone."""
    from python_runner.run.watch import Watch
    from python_runner.store import Store

    path = output.Results.at(results).store
    with Store(path, read_only=True) as store:
        run_id = _going_on(store) if run is None else store.find_run(run)
    try:
        with Watch(path, run_id) as found:
            last, is_gone = _follow(found, output.console())
    except KeyboardInterrupt:
        output.say(f"\nRun {run_id} goes on. To see it again: polystack watch {run_id}")
        return INTERRUPTED_EXIT_CODE
    _summary(path, run_id)
    if is_gone:
        raise PolystackError(
            f"run {run_id} did not come to its end: the process that measured it is gone",
            hint="It was killed, or the machine stopped. What was finished is kept: "
            f"polystack show {run_id}; to go on with it: polystack resume {run_id}",
        )
    return _exit_code(last)


def _going_on(store: Store) -> int:
    """The newest run that is going on. Raises UsageError if there is none."""
    from python_runner.run.watch import runs_going_on
    from python_runner.store.follow import unfinished_runs

    going = runs_going_on(store)
    if len(going) > 1:
        others = ", ".join(str(run_id) for run_id in going[1:])
        output.say(f"Other runs that are going on: {others} (`polystack watch RUN`).")
    if going:
        return going[0]
    broken = unfinished_runs(store)
    ids = store.run_ids()
    hint = "Start one with `polystack compare` or `polystack load`; it is here from its first stack"
    if broken:
        hint = (
            f"Run {broken[0]} is marked as running, and its process is gone: polystack resume "
            f"{broken[0]} goes on with it. {hint}"
        )
    if ids:
        hint += f". The last one: polystack show {ids[-1]}"
    raise UsageError("no run is going on", hint=f"{hint}.")


def _follow(watch: Watch, console: Console) -> tuple[LiveRun, bool]:
    """Show the run until it is over; whether its process is gone instead."""
    if console.is_terminal:
        return _draw(watch, console)
    return _print(watch)


def _draw(watch: Watch, console: Console) -> tuple[LiveRun, bool]:
    from rich.live import Live

    from python_runner.report.terminal.live import LiveView

    view = LiveView(watch.look(), watch.clock)
    with Live(view, console=console, auto_refresh=False, transient=True) as live:
        while not (is_gone := _is_gone(watch)) and not view.run.is_over:
            for _ in range(_DRAWINGS_A_LOOK):  # between two looks only the clock goes on
                live.refresh()
                time.sleep(_EVERY_S)
            view.run = watch.look()
    return watch.look(), is_gone


def _print(watch: Watch) -> tuple[LiveRun, bool]:
    """A line whenever there is news, at most one a second."""
    from python_runner.report.terminal.live import clock_words, news_of

    found, said = watch.look(), ""
    output.say(f"{found.heading} ({found.work})")
    while not (is_gone := _is_gone(watch)) and not found.is_over:
        if (words := news_of(found)) != said:
            said = words
            output.say(f"{words} ({clock_words(found, watch.clock())})")
        time.sleep(_EVERY_S)
        found = watch.look()
    return found, is_gone


def _is_gone(watch: Watch) -> bool:
    """Whether the process that measures is gone, and has left the run as it was."""
    from python_runner.common.process_mark import Life

    # In this order: it may end in order between the two.
    return watch.life() is Life.GONE and not watch.look().is_over


def _summary(path: Path, run_id: int) -> None:
    from python_runner.store import Store

    with Store(path, read_only=True) as store:
        output.show_summary(store, run_id)


def _exit_code(last: LiveRun) -> int:
    """As the run's own command: 130 for an interrupted one, 5 if a stack did not get through."""
    if last.is_interrupted:
        return INTERRUPTED_EXIT_CODE
    return EngineError.exit_code if any(row["error"] for row in last.stacks) else 0
