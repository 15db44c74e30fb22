"""`polystack why`: test the causes that may explain a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.answers import AnswersOption, wrong_answers
from python_runner.cli.options import ResultsOption, RunArgument
from python_runner.common.errors import INTERRUPTED_EXIT_CODE, EngineError, UsageError
from python_runner.report.units import spell_duration

if TYPE_CHECKING:
    from rich.table import Table

    from python_runner.run.why import Explanation
    from python_runner.run.why.budget import Chosen
    from python_runner.store import Store


def why(
    run: RunArgument = "latest",
    *,
    budget: Annotated[
        str, typer.Option(help="Time for all ablations together; the most telling come first.")
    ] = "30m",
    only: Annotated[
        str | None, typer.Option(help="Causes, separated by commas, such as gogc,flags.")
    ] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="Show what would be run, and run nothing.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Show what was found for this run before.")
    ] = False,
    answers: AnswersOption = True,
    results: ResultsOption = None,
) -> int:
    """Test the causes that may explain a run, by changing one thing at a time."""
    from python_runner.run.why import plan_explanation
    from python_runner.study import parse_duration

    budget_s = parse_duration(budget)
    place = output.Results.at(results)
    with place.open_store() as store:
        run_id = store.find_run(run)
        if show:
            _show(store, run_id)
            return 0
        explanation = plan_explanation(
            store, run_id, budget_s=budget_s, only=output.split_names(only or "")
        )
        _tell(explanation, run_id)
        if list_only:
            return 0
        if not explanation.choice.taken:
            raise UsageError(
                f"nothing fits into {budget}",
                hint="Allow more with --budget, or choose causes with --only.",
            )
        return _run_and_show(explanation, store, place, answers=answers)


def _run_and_show(
    explanation: Explanation, store: Store, place: output.Results, *, answers: bool
) -> int:
    from python_runner.cli.progress import TerminalProgress
    from python_runner.measure import MachineProbe
    from python_runner.run.why import explain, runs_explaining

    asked = explanation.asked.run_id
    before = runs_explaining(store, asked)
    try:
        outcome = explain(
            explanation,
            store,
            logs=place.logs,
            progress=TerminalProgress(output.console()),
            probe=MachineProbe(),
        )
    except KeyboardInterrupt:
        made = [found for found in runs_explaining(store, asked) if found not in before]
        for found in made:
            output.show_summary(store, found)
        output.say("\nInterrupted." + (" What was finished is kept." if made else ""))
        return INTERRUPTED_EXIT_CODE
    struck = False
    for found, study in zip(outcome.runs, explanation.studies, strict=True):
        struck |= answers and wrong_answers(study, store, found, place.logs)
        output.show_summary(store, found)
        output.draw(store, found, place)
    for stack, reason in outcome.broken.items():
        output.say(f"{stack} gave no full set of samples: {reason}")
    output.say(f"To see this again: polystack why {asked} --show")
    return EngineError.exit_code if outcome.broken or struck else 0


def _show(store: Store, run_id: int) -> None:
    from python_runner.run.why import runs_explaining
    from python_runner.run.why.asked import explained_by

    asked = explained_by(store, run_id)
    found = runs_explaining(store, asked)
    if not found:
        raise UsageError(
            f"no ablation of run {asked} has been made", hint=f"Make them: polystack why {asked}"
        )
    for each in found:
        output.show_summary(store, each)


def _tell(explanation: Explanation, run_id: int) -> None:
    """What is run, in how much time, and what is left out."""
    asked, choice = explanation.asked, explanation.choice
    if asked.run_id != run_id:
        output.say(f"Run {run_id} explains run {asked.run_id}, so that one is looked at.")
    for title, reason in asked.struck.items():
        output.say(f"{title} is struck out, and not explained: its answers are wrong ({reason}).")
    if choice.taken:
        output.say(f"Ablations of run {asked.run_id}, about {spell_duration(choice.seconds)}:")
        output.console().print(_table(choice.taken))
    if choice.left_out:
        budget = spell_duration(explanation.budget_s)
        more = spell_duration(sum(each.seconds for each in choice.left_out))
        output.say(f"Left out, because {budget} are too short (about {more} more for all):")
        output.console().print(_table(choice.left_out))


def _table(chosen: tuple[Chosen, ...]) -> Table:
    from rich.table import Table

    table = Table("cause", "question", "changed", "held against", "adds about", box=None)
    for each in chosen:
        asked = each.candidate.ablation
        table.add_row(
            asked.key, asked.question, asked.left, asked.right, spell_duration(each.seconds)
        )
    return table
