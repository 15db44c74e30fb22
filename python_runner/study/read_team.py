"""Read a team file, and say what is wrong in it."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path

from pydantic import ValidationError

from python_runner.common.errors import StudyError, UnknownNameError
from python_runner.common.locations import source_root
from python_runner.study.explain import explain, near_name
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
    path = _find(name_or_path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise StudyError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise StudyError(f"{path} cannot be read: {error.strerror}") from error
    return parse_team(text, place=str(path), criteria=criteria)


def parse_team(text: str, *, place: str, criteria: Collection[str]) -> Team:
    """The team that a file's text describes. Raises StudyError."""
    hint = f"Correct the key in {place}; docs/team.md tells every key."
    try:
        team = Team.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{place} is not valid TOML: {error}", hint=hint) from error
    except ValidationError as error:
        lines = "\n".join(f"  {line}" for line in explain(error, Team))
        raise StudyError(f"team {place}:\n{lines}", hint=hint) from error
    for key in team.weights or {}:
        if key not in criteria:
            raise StudyError(
                f"team {place}:\n  weights.{key}: no such criterion; there are: "
                f"{', '.join(criteria)}{near_name(key, criteria)}",
                hint=hint,
            )
    return team


def _find(name_or_path: str) -> Path:
    shipped = teams_dir() / f"{name_or_path}.toml"
    if shipped.is_file():
        return shipped
    path = Path(name_or_path)
    if path.suffix == ".toml" and path.is_file():
        return path
    raise UnknownNameError("team", name_or_path, team_names())
