"""Ask in the terminal who the team is, and write its file, so that it can be repeated."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import typer

from python_runner.analyse.decision import CRITERIA_KEYS
from python_runner.cli import output
from python_runner.cli.asking import answered
from python_runner.study import Team, parse_team, team_toml
from python_runner.study.team import STACK_LANGUAGES, Constraints, Operations, People, Serves

_INSTEAD = "Give a team's file, or the name of an example: polystack team NAME (docs/team.md)."


def ask_for_team(path: Path) -> Team:
    """Ask, write the answers to `path`, and give the team that is read from there.

    Raises UsageError if there is nobody to answer; nothing is written then.
    """
    output.say("Which stack fits your team? Enter takes the answer in brackets.")
    made = answered(_team, instead=_INSTEAD)
    text = team_toml(made)
    team = parse_team(text, place=str(path), criteria=CRITERIA_KEYS)
    path.write_text(text, encoding="utf-8")
    output.say(f"\nWritten to {path}. Weights go into its table [weights]: docs/team.md.\n")
    return team


def _team() -> Team:
    return Team(
        people=_people(),
        serves=_serves(),
        operations=_operations(),
        constraints=_constraints(),
    )


def _people() -> tuple[People, ...]:
    groups: list[People] = []
    while True:
        role = typer.prompt("People of one kind: what are they", default="developers")
        number = _whole("  how many", 1, least=1)
        on_call = _whole("  of them on call", 0, most=number)
        languages = {
            language: level
            for language in STACK_LANGUAGES
            if (level := _choice(f"  {language}", ("no", "reads", "writes", "expert"))) != "no"
        }
        groups.append(
            People.model_validate(
                {"role": role, "number": number, "on_call": on_call, "languages": languages}
            )
        )
        if not typer.confirm("Are there others, who know something else?", default=False):
            return tuple(groups)


def _serves() -> Serves:
    given: dict[str, Any] = {
        "users": _whole("Users at once", 1, least=1),
        "prompt_tokens": _maybe("Tokens of a prompt (0: as measured)"),
        "new_tokens": _maybe("Tokens of an answer (0: as measured)"),
        "requests_a_day": _maybe("Requests a day (0: not known)"),
        "ttft_ms": _maybe("Target: milliseconds to the first token (0: none)"),
        "e2e_ms": _maybe("Target: milliseconds to the whole answer (0: none)"),
    }
    return Serves.model_validate(given)


def _operations() -> Operations:
    given: dict[str, Any] = {
        "runs_in": _choice("Where it runs", ("bare", "container")),
        "hardware": _choice("What it computes on", ("cpu", "gpu")),
        "level": _choice("What keeping it running takes", ("writes", "reads", "expert")),
        "price_per_hour": _amount("Price of a machine hour (0: not known)"),
    }
    return Operations.model_validate(given)


def _constraints() -> Constraints:
    given: dict[str, Any] = {
        "must": _choice("It must", ("either", "serve", "embed")),
        "licences": output.split_names(
            typer.prompt(
                "Licences that are allowed, with commas (empty: any)",
                default="",
                show_default=False,
            )
        ),
        "memory_gb": _amount("Memory at most, in GB (0: any)"),
    }
    return Constraints.model_validate(given)


def _amount(question: str) -> float | None:
    while True:
        answer = float(typer.prompt(question, default=0.0, type=float))
        if 0 <= answer < math.inf:
            return answer or None
        output.say("  From 0 on.")


def _whole(question: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    while True:
        answer = int(typer.prompt(question, default=default, type=int))
        if answer >= least and (most is None or answer <= most):
            return answer
        output.say(f"  From {least} on" + (f", at most {most}." if most is not None else "."))


def _maybe(question: str) -> int | None:
    return _whole(question, 0) or None


def _choice(question: str, allowed: tuple[str, ...]) -> str:
    spelled = "/".join(allowed)
    while True:
        answer = str(typer.prompt(f"{question} ({spelled})", default=allowed[0])).strip().lower()
        if answer in allowed:
            return answer
        output.say(f"  One of {spelled}.")
