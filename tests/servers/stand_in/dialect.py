"""What dialects.toml says of a server: its words, its options, its refusals."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_DIALECTS = Path(__file__).parents[1] / "dialects.toml"


class RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, template: str, why: str) -> None:
        super().__init__(why)
        self.status, self.template, self.why = status, template, why


def dialect_called(name: str) -> dict[str, Any]:
    """What dialects.toml says of it."""
    known = tomllib.loads(_DIALECTS.read_text())
    found = known[name]
    return {**known.get(found.get("like"), {}), **found}


def filled(template: Any, values: dict[str, Any]) -> Any:
    """A template of JSON with its values; `$MODEL` also within a text."""
    if isinstance(template, str):
        return values.get(template, template)
    if isinstance(template, list):
        return [filled(each, values) for each in template]
    if isinstance(template, dict):
        return {key: filled(value, values) for key, value in template.items()}
    return template


def parsed(dialect: dict[str, Any], arguments: Sequence[str]) -> dict[str, str]:
    """The options, as the real program would take them. Exits with 2 for one it does not know."""
    rest, found = list(arguments), dict[str, str]()
    for word in dialect.get("words", ()):
        if not rest or (word != "$MODEL" and rest[0] != word):
            _usage(f"expected {word}, got {rest[:1]}")
        if word == "$MODEL":
            found["$MODEL"] = rest[0]
        rest.pop(0)
    kinds = {
        option.rstrip("=+"): option[len(option.rstrip("=+")) :] for option in dialect["options"]
    }
    while rest:
        option = rest.pop(0)
        if option not in kinds:
            _usage(f"unrecognized arguments: {option}")
        found[option] = rest.pop(0) if kinds[option] else "on"
        while kinds[option] == "+" and rest and not rest[0].startswith("--"):
            found[option] += f" {rest.pop(0)}"
    return found


def _usage(why: str) -> None:
    sys.stderr.write(f"error: {why}\n")
    sys.exit(2)
