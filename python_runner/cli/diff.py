"""`polystack diff`: what changed between two runs, and whether it is real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.options import ResultsOption
from python_runner.common.errors import SLOWER_EXIT_CODE, UnfairError, UsageError

if TYPE_CHECKING:
    from python_runner.analyse.compare import RunChange
    from python_runner.store import Frames


def diff(
    before: Annotated[str, typer.Argument(help="Number of the earlier run (`polystack runs`).")],
    after: Annotated[str, typer.Argument(help="Number of the later one, or `latest`.")] = "latest",
    *,
    fail_if_slower: Annotated[
        str | None,
        typer.Option(help="Exit with 8 if a stack is really slower by more than that: 5%."),
    ] = None,
    results: ResultsOption = None,
) -> int:
    """Compare two runs: what changed in their conditions, and in the speed of each stack."""
    from python_runner.analyse.answers import with_answers
    from python_runner.analyse.compare import change_between
    from python_runner.report.terminal.change import change_report
    from python_runner.store import read_frames
    from python_runner.study import parse_percent

    share = None if fail_if_slower is None else parse_percent(fail_if_slower)
    with output.Results.at(results).open_store() as store:
        ids = [store.find_run(name) for name in (before, after)]
        if ids[0] == ids[1]:
            raise UsageError(
                f"run {ids[0]} is held against itself", hint="Name two runs (`polystack runs`)."
            )
        frames = read_frames(store, ids)
    _refuse_loads(frames)
    conditions = with_answers(frames.conditions, frames.answers)
    change = change_between(frames.samples, conditions, frames.runs, *ids)
    runs = frames.runs.set_index("run_id", drop=False).loc[ids]
    output.console().print(change_report(change, runs))
    return 0 if share is None else _gate(change, share)


def _refuse_loads(frames: Frames) -> None:
    from python_runner.store import RunKind

    loads = frames.runs.loc[frames.runs["kind"] == RunKind.LOAD.value, "run_id"]
    if len(loads):
        raise UsageError(
            f"run {loads.iloc[0]} is a load", hint="`polystack diff` compares runs of `compare`."
        )


def _gate(change: RunChange, share: float) -> int:
    """The exit code of `--fail-if-slower`.

    Raises:
        UnfairError: no stack could be judged.
    """
    from python_runner.analyse.compare import really_slower
    from python_runner.report.units import spell_percent

    if change.speed.empty:
        why = change.machine or "; ".join(
            f"{title}: {reason}" for title, reason in change.not_judged.items()
        )
        raise UnfairError(
            f"no stack could be judged: {why or 'the runs have none in common'}",
            hint="Run the same study on the same machine, and compare that.",
        )
    floor = float(change.speed["noise_floor"].min())
    if floor > share:
        output.say(
            f"A slow-down of less than {spell_percent(floor)} cannot be told from the machine's "
            f"own noise, so only what is above that can fail."
        )
    slower = really_slower(change, share)
    for row in slower.to_dict(orient="records"):
        output.say(f"{row['title_left']} is slower by {spell_percent(row['ratio'] - 1)}.")
    return SLOWER_EXIT_CODE if len(slower) else 0
