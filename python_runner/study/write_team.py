"""A team as the text of a team file."""

from __future__ import annotations

from python_runner.study.team import Team
from python_runner.study.write import study_toml


def team_toml(team: Team) -> str:
    """The TOML that `load_team` reads as this team; what is left at its default is left out."""
    return study_toml(team.model_dump(mode="json", exclude_defaults=True))
