"""`polystack resume`: go on with a run that was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.answers import AnswersOption
from python_runner.cli.opening import OpenOption
from python_runner.cli.options import ResultsOption
from python_runner.cli.study import show_table
from python_runner.common.errors import INTERRUPTED_EXIT_CODE

if TYPE_CHECKING:
    from python_runner.cli.compare import After
    from python_runner.store import Store
    from python_runner.store.interrupted import StoredRun


def resume(
    run: Annotated[
        str, typer.Argument(help="Number of the run, or `latest`; see `polystack runs`.")
    ] = "latest",
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Also try stacks again that had ended with an error.")
    ] = False,
    has_ended: Annotated[
        bool,
        typer.Option("--has-ended", help="Its process has ended, although that cannot be seen."),
    ] = False,
    answers: AnswersOption = True,
    open_report: OpenOption = None,
    results: ResultsOption = None,
) -> int:
    """Go on with a run that was interrupted or killed; nothing that is done is done again."""
    from python_runner.cli.compare import After
    from python_runner.run.resume.allowed import COMPLETE, require_nobody_at_it
    from python_runner.store import RunKind
    from python_runner.store.interrupted import read_stored_run

    place = output.Results.at(results)
    with place.open_store() as store:
        stored = read_stored_run(store, store.find_run(run))
        if stored.status == COMPLETE and not (again and stored.ended):
            _tell_complete(stored)
            return 0
        require_nobody_at_it(stored, has_ended=has_ended)
        after = After(answers=answers, open_report=open_report, command="")
        try:
            if stored.kind is RunKind.LOAD:
                code = _load(stored, store, place, again=again)
            else:
                code = _comparison(stored, store, place, after, again=again)
            show_table(store, stored.run_id)
            output.tell_not_begun(store, stored.run_id)
            return code
        except SystemExit:
            output.tell_interrupted(stored.run_id)
            raise
        except KeyboardInterrupt:
            output.tell_interrupted(stored.run_id)
            return INTERRUPTED_EXIT_CODE


def _tell_complete(stored: StoredRun) -> None:
    run = stored.run_id
    output.say(f"Run {run} is complete: nothing is left to do. Look at it: polystack show {run}")
    for stack, reason in stored.ended.items():
        output.say(f"{stack} had ended before its time: {reason}")
    if stored.ended:
        output.say(f"Try those again: polystack resume {run} --again")


def _comparison(
    stored: StoredRun, store: Store, place: output.Results, after: After, *, again: bool
) -> int:
    from python_runner.cli.compare import asked, show_outcome
    from python_runner.cli.run_progress import RunProgress
    from python_runner.measure import MachineProbe
    from python_runner.run.resume.allowed import study_of
    from python_runner.run.resume.comparison import Ways, resume_comparison

    study = asked(study_of(stored))
    with RunProgress(output.console(), place.store) as progress:
        ways = Ways(
            logs=place.logs, progress=progress, on_begin=progress.begin, probe=MachineProbe()
        )
        outcome = resume_comparison(stored, store, ways, again=again)
    return show_outcome(study, outcome, store, place, after)


def _load(stored: StoredRun, store: Store, place: output.Results, *, again: bool) -> int:
    from python_runner.cli.load import show_outcome
    from python_runner.cli.run_progress import RunProgress
    from python_runner.run.resume.comparison import Ways
    from python_runner.run.resume.load import resume_load

    with RunProgress(output.console(), place.store) as progress:
        ways = Ways(logs=place.logs, progress=progress, on_begin=progress.begin)
        outcome = resume_load(stored, store, ways, again=again)
    return show_outcome(outcome, store, place)
