"""The catalogue of servers: the files beside this one, and those that a user adds.

`POLYSTACK_SERVERS` names a TOML file, or a folder of such files. A file is one server, or
several (`[[servers]]`). `like = "NAME"` takes over what a file does not say itself from a
server that stands before it.

A mistake in a user's file costs that server, or the whole file where it cannot be read, and no
other engine: `users_files` tells of it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
_NAME = re.compile(r"""^\s*name\s*=\s*["']([^"']+)""", re.MULTILINE)


@cache
def shipped_servers() -> Mapping[str, ServerRow]:
    """The servers that come with the workbench, by name."""
    return MappingProxyType(_rows(sorted(_FOLDER.glob("*.toml")), {}))


@cache
def shipped_files() -> Mapping[str, Path]:
    """The file of each of those."""
    paths = sorted(_FOLDER.glob("*.toml"))
    return {str(table["name"]): path for path in paths for table in _tables(path)}


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A server that a user's file describes wrongly, or a file that cannot be read at all."""

    names: tuple[str, ...]
    """Of the servers that are lost by it, as far as its text tells."""
    error: UsageError
    """Names file and key, and says how to mend it."""


@dataclass(frozen=True, kw_only=True)
class UsersFiles:
    """What the user's own files describe."""

    rows: Mapping[str, ServerRow]
    broken: Sequence[Broken]


def users_files() -> UsersFiles:
    """Read them now. None if the variable is not set."""
    named = os.environ.get(VARIABLE)
    if not named:
        return UsersFiles(rows={}, broken=())
    place = Path(named).expanduser()
    files = sorted(place.glob("*.toml")) if place.is_dir() else [place]
    broken: list[Broken] = []
    rows = _rows(files, _texts(_FOLDER), broken.append)
    return UsersFiles(rows=rows, broken=broken)


def users_servers() -> Mapping[str, ServerRow]:
    """Those servers of the user's own files that can be used."""
    return users_files().rows


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


def _raise(broken: Broken) -> None:
    raise broken.error


def _rows(
    paths: Iterable[Path],
    known: Mapping[str, dict[str, Any]],
    on_broken: Callable[[Broken], None] = _raise,
) -> dict[str, ServerRow]:
    texts, rows = dict(known), dict[str, ServerRow]()
    for path in paths:
        try:
            tables = _tables(path)
        except UsageError as error:
            on_broken(Broken(names=_names_in(path), error=error))
            continue
        for table in tables:
            try:
                whole = _completed(table, texts, path)
                row = _checked(whole, path)
                if row.name in texts:
                    raise _mistake(path, "name", f"there is a server {row.name!r} already")
            except UsageError as error:
                on_broken(Broken(names=(str(table.get("name")),), error=error))
                continue
            texts[row.name], rows[row.name] = whole, row
    return rows


def _names_in(path: Path) -> tuple[str, ...]:
    """Names that stand in a file which is no TOML."""
    try:
        return tuple(_NAME.findall(path.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return ()


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
    tables = list(several) if isinstance(several, list) else [document]
    if not all(isinstance(table, dict) for table in tables):
        raise _mistake(path, "servers", "each is a table: [[servers]]")
    return tables


def _completed(
    table: Mapping[str, Any], known: Mapping[str, dict[str, Any]], path: Path
) -> dict[str, Any]:
    like = table.get(_LIKE)
    own = {key: value for key, value in table.items() if key != _LIKE}
    if like is None:
        return own
    if not isinstance(like, str) or like not in known:
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
