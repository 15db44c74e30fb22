"""`polystack team`: which stack fits the people who are to keep it running."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.asking import somebody_is_there
from python_runner.cli.options import ResultsOption
from python_runner.common.errors import UsageError

if TYPE_CHECKING:
    from python_runner.report.decision.data import DecisionData
    from python_runner.store import Store
    from python_runner.study import Team

_FORMATS = ("terminal", "html", "md")
_USUAL_FILE = "team.toml"


def team(
    team_file: Annotated[
        str | None,
        typer.Argument(
            metavar="[TEAM.toml]",
            help="A team file, or the name of an example; left out: team.toml here, or it asks.",
            show_default=False,
        ),
    ] = None,
    *,
    runs: Annotated[
        str | None,
        typer.Option(help="Runs to decide by, separated by commas.", show_default="the latest"),
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", help="terminal, html, md; several with commas.")
    ] = "terminal,html",
    output_path: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder of the page.", show_default="teams in the results"
        ),
    ] = None,
    results: ResultsOption = None,
) -> None:
    """Say which stack fits a team, by what was measured, and how firm that is."""
    chosen = _formats(formats)
    place = output.Results.at(results)
    found, source = _team_of(team_file)
    with place.open_store() as store:
        numbers = [store.find_run(name) for name in output.split_names(runs or "")]
        command = shlex.join(["polystack", "team", source, *(["--runs", runs] if runs else [])])
        data = _decide(found, store, numbers, command)
    _show(data, chosen, (output_path or place.folder / "teams") / found.name)


def _formats(text: str) -> list[str]:
    chosen = output.split_names(text)
    for name in chosen:
        if name not in _FORMATS:
            raise UsageError(
                f"--format: {name!r} is no format", hint=f"It is one of {', '.join(_FORMATS)}."
            )
    return chosen


def _team_of(team_file: str | None) -> tuple[Team, str]:
    """The team, and what to type for it next time."""
    from python_runner.analyse.decision import CRITERIA_KEYS
    from python_runner.study import load_team, team_names

    if team_file is None and Path(_USUAL_FILE).is_file():
        team_file = _USUAL_FILE
    if team_file is not None:
        return load_team(team_file, criteria=CRITERIA_KEYS), team_file
    if not somebody_is_there():
        raise UsageError(
            "there is no team file, and no terminal to ask in",
            hint=f"Name a file, or an example: {', '.join(team_names())}. docs/team.md explains "
            "what stands in it.",
        )
    from python_runner.cli.team_questions import ask_for_team

    return ask_for_team(Path(_USUAL_FILE)), _USUAL_FILE


def _decide(found: Team, store: Store, numbers: list[int], command: str) -> DecisionData:
    from python_runner.report.decision.data import decision_data
    from python_runner.run.team import decide_by_runs
    from python_runner.run.upkeep import upkeep_of

    decided = decide_by_runs(found, store, numbers, upkeep=upkeep_of)
    return decision_data(decided.decision, decided.frames, decided.warnings, command)


def _show(data: DecisionData, formats: list[str], target: Path) -> None:
    if "terminal" in formats:
        from python_runner.report.terminal.decision import decision_report

        output.console().print(decision_report(data))
    for name in formats:
        if name != "terminal":
            output.say(str(_write(data, name, target.with_name(f"{target.name}.{name}"))))


def _write(data: DecisionData, name: str, path: Path) -> Path:
    from python_runner.report.decision.contents import decision_document
    from python_runner.report.decision.page import decision_page
    from python_runner.report.markdown import markdown

    text = decision_page(data) if name == "html" else markdown(decision_document(data))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
