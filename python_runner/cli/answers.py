"""`polystack answers`: hold the answers of a run against a reference, or show what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.options import ResultsOption, RunArgument
from python_runner.common.errors import EngineError

if TYPE_CHECKING:
    from python_runner.store import AnswerFrames, Store
    from python_runner.study import Study

AnswersOption = Annotated[
    bool,
    typer.Option(
        "--answers/--no-answers",
        help="Afterwards hold the answers against a reference in bf16.",
    ),
]


def answers(
    run: RunArgument = "latest",
    *,
    again: Annotated[bool, typer.Option("--again", help="Compare them once more.")] = False,
    perplexity: Annotated[
        bool | None,
        typer.Option(
            "--perplexity/--no-perplexity",
            help="Start each stack that can score tokens, for its perplexity on a fixed text.",
            show_default="in fewer than 16 bits, or if the model is small",
        ),
    ] = None,
    results: ResultsOption = None,
) -> int:
    """Show whether the stacks of a run answered what the model says; compare them if need be."""
    from python_runner.report.terminal.answers import answers_report
    from python_runner.store import last_check, read_frames

    place = output.Results.at(results)
    with place.open_store() as store:
        run_id = store.find_run(run)
        if again or perplexity or last_check(store, run_id) is None:
            check(store, run_id, place.logs, perplexity=perplexity)
        frames = read_frames(store, [run_id])
    output.console().print(answers_report(frames))
    return EngineError.exit_code if any_struck(frames.answers) else 0


def check(store: Store, run_id: int, logs: Path, *, perplexity: bool | None = None) -> None:
    """Compare the answers of a run, and say so if they could not be."""
    from python_runner.cli.progress import TerminalProgress
    from python_runner.run.answers import check_answers

    progress = TerminalProgress(output.console())
    reason = check_answers(store, run_id, logs=logs, progress=progress, with_passage=perplexity)
    if reason:
        output.say(f"Answers were not compared: {reason}")


def wrong_answers(study: Study, store: Store, run_id: int, logs: Path) -> bool:
    """Hold the answers of a run that is over against the reference: whether any stack's are wrong.

    Ctrl-C ends the look and not the program: the figures stand.
    """
    from python_runner.run.answers import can_be_checked
    from python_runner.store import read_frames

    if not can_be_checked(study):
        return False
    try:
        check(store, run_id, logs)
    except KeyboardInterrupt:
        output.say(f"\nAnswers not compared. To do it later: polystack answers {run_id}")
    return any_struck(read_frames(store, [run_id]).answers)


def any_struck(found: AnswerFrames) -> bool:
    """Whether the answers of any stack in these `AnswerFrames` are wrong."""
    from python_runner.analyse.answers import AnswerVerdict, judge_answers

    return bool((judge_answers(found)["verdict"] == AnswerVerdict.WRONG.value).any())
