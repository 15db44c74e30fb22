"""The catalogue of servers: the files beside this one, and those that a user adds.

`POLYSTACK_SERVERS` names a TOML file, or a folder of such files. A file is one server, or
several (`[[servers]]`). `like = "NAME"` takes over what a file does not say itself from a
server that stands before it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from python_runner.common.errors import UsageError
from python_runner.engines.servers.schema import ServerRow

VARIABLE = "POLYSTACK_SERVERS"
_FOLDER = Path(__file__).parent
_LIKE = "like"


@cache
def shipped_servers() -> Mapping[str, ServerRow]:
    """The servers that come with the workbench, by name."""
    return MappingProxyType(_rows(sorted(_FOLDER.glob("*.toml")), {}))


@cache
def shipped_files() -> Mapping[str, Path]:
    """The file of each of those."""
    paths = sorted(_FOLDER.glob("*.toml"))
    return {str(table["name"]): path for path in paths for table in _tables(path)}


def users_servers() -> Mapping[str, ServerRow]:
    """Those of the user's own files. Raises UsageError with file and key of a mistake."""
    named = os.environ.get(VARIABLE)
    if not named:
        return {}
    place = Path(named).expanduser()
    files = sorted(place.glob("*.toml")) if place.is_dir() else [place]
    return _rows(files, _texts(_FOLDER))


def servers() -> Mapping[str, ServerRow]:
    """All of them. The workbench's own come first, and cannot be replaced."""
    return {**users_servers(), **shipped_servers()}


def _texts(folder: Path) -> dict[str, dict[str, Any]]:
    """What the files of a folder say, by server."""
    known: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.toml")):
        for table in _tables(path):
            known[str(table.get("name"))] = _completed(table, known, path)
    return known


def _rows(paths: Iterable[Path], known: Mapping[str, dict[str, Any]]) -> dict[str, ServerRow]:
    texts, rows = dict(known), dict[str, ServerRow]()
    for path in paths:
        for table in _tables(path):
            whole = _completed(table, texts, path)
            row = _checked(whole, path)
            if row.name in texts:
                raise _mistake(path, "name", f"there is a server {row.name!r} already")
            texts[row.name], rows[row.name] = whole, row
    return rows


def _tables(path: Path) -> list[dict[str, Any]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read: {error}", hint=f"{VARIABLE} names a file or a folder."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{path} is no TOML: {error}", hint="See docs/engines/servers.md."
        ) from error
    several = document.get("servers")
    return list(several) if isinstance(several, list) else [document]


def _completed(
    table: Mapping[str, Any], known: Mapping[str, dict[str, Any]], path: Path
) -> dict[str, Any]:
    like = table.get(_LIKE)
    own = {key: value for key, value in table.items() if key != _LIKE}
    if like is None:
        return own
    if like not in known:
        raise _mistake(path, _LIKE, f"there is no server {like!r} before it")
    return _laid_over(known[like], own)


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables key by key, everything else as a whole."""
    merged = dict(below)
    for key, value in above.items():
        before = merged.get(key)
        both = isinstance(value, dict) and isinstance(before, dict)
        merged[key] = _laid_over(before or {}, value) if both else value
    return merged


def _checked(table: Mapping[str, Any], path: Path) -> ServerRow:
    try:
        return ServerRow.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or str(table.get("name", "the file"))
        raise _mistake(path, key, str(first["msg"])) from error


def _mistake(path: Path, key: str, what: str) -> UsageError:
    return UsageError(
        f"{path}: {key}: {what}",
        hint="docs/engines/servers.md explains the keys of a server's file.",
    )
