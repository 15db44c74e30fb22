"""Read a team file, and say what is wrong in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from python_runner.common.errors import StudyError
from python_runner.common.locations import source_root
from python_runner.study.explain import near_name, validated
from python_runner.study.read import find_file, parse_toml, read_toml
from python_runner.study.team import Team


def teams_dir() -> Path:
    """Where the teams that come with the workbench lie, as examples."""
    return source_root() / "teams"


def team_names() -> list[str]:
    """Names of those teams."""
    return sorted(path.stem for path in teams_dir().glob("*.toml"))


def load_team(name_or_path: str, *, criteria: Collection[str]) -> Team:
    """The team of that name (or in that TOML file).

    Args:
        name_or_path: a team that comes with the workbench, or a file.
        criteria: keys that `weights` may have.

    Raises:
        UnknownNameError: there is no such team.
        StudyError: the file is not valid; the message names the key and what is allowed.
    """
    path = find_file("team", name_or_path, folder=teams_dir(), names=team_names())
    return _checked(read_toml(path), place=str(path), criteria=criteria)


def parse_team(text: str, *, place: str, criteria: Collection[str]) -> Team:
    """The team that a file's text describes. Raises StudyError."""
    return _checked(parse_toml(text, place=place), place=place, criteria=criteria)


def _checked(document: Mapping[str, Any], *, place: str, criteria: Collection[str]) -> Team:
    hint = f"Correct the key in {place}; docs/team.md tells every key."
    team = validated(Team, document, what=f"team {place}", hint=hint)
    for key in team.weights or {}:
        if key not in criteria:
            raise StudyError(
                f"team {place}:\n  weights.{key}: no such criterion; there are: "
                f"{', '.join(criteria)}{near_name(key, criteria)}",
                hint=hint,
            )
    return team
