"""A team as the text of a team file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from python_runner.study.base import Frozen
from python_runner.study.team import Team


def team_toml(team: Team) -> str:
    """The TOML that `load_team` reads as this team; what is left at its default is left out."""
    return "\n".join(_lines(team)) + "\n"


def _lines(team: Team) -> Iterator[str]:
    yield f"name = {_value(team.name)}"
    yield f"title = {_value(team.title)}"
    for group in team.people:
        yield from ("", "[[people]]", *_keys(group))
    for name in ("serves", "operations", "constraints"):
        keys = list(_keys(getattr(team, name)))
        if keys:
            yield from ("", f"[{name}]", *keys)
    if team.weights is not None:
        yield from ("", "[weights]")
        yield from (f"{_key(name)} = {_value(weight)}" for name, weight in team.weights.items())


def _keys(table: Frozen) -> Iterator[str]:
    for name, value in table.model_dump(mode="json", exclude_defaults=True).items():
        if value is not None:
            yield f"{name} = {_value(value)}"


def _key(name: str) -> str:
    is_bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if is_bare else _value(name)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(str(key))} = {_value(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    # A JSON string is a TOML basic string, if what is not ASCII is escaped in one way for both.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
