"""The Python packages of a stack: which it needs, which of them are locked, how large they are."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_LINE = re.compile(r"^([A-Za-z0-9][^#\\\n]*==[^#\\\n]*)", re.MULTILINE)
Find = Callable[[str], metadata.Distribution]

_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
# What distributions' own packages of a Python without tools leave out, too.
_NOT_SERVING = frozenset(
    {"__pycache__", "site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter"}
)
_STATIC = "config-"


@dataclass(frozen=True, kw_only=True)
class Needed:
    """Packages and all that they need in turn, on this platform."""

    found: dict[str, metadata.Distribution]
    """By canonical name."""
    missing: tuple[str, ...]
    """Those that are not installed."""


def needed_packages(requirements: Iterable[str], find: Find = metadata.distribution) -> Needed:
    """What the installed packages say they need, followed to the end.

    Markers are those of this platform and Python; extras count where somebody asks for them.

    Args:
        requirements: where to begin, as in `transformers[serving]`.
        find: looks up a package; raises PackageNotFoundError.
    """
    found: dict[str, metadata.Distribution] = {}
    missing: dict[str, None] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        asked = waiting.pop()
        name = canonicalize_name(asked.name)
        extras = {"", *asked.extras}
        new = {extra for extra in extras if (name, extra) not in seen}
        seen |= {(name, extra) for extra in new}
        if not new or name in missing:
            continue
        try:
            distribution = find(asked.name)
        except metadata.PackageNotFoundError:
            missing[name] = None
            continue
        found[name] = distribution
        waiting += _next(distribution, new)
    return Needed(found=dict(sorted(found.items())), missing=tuple(sorted(missing)))


def locked_packages(lock: str) -> frozenset[str]:
    """Canonical names in the text of a requirements file."""
    return frozenset(canonicalize_name(name) for name in _LOCKED.findall(lock))


def locked_here(lock: str) -> frozenset[str]:
    """Canonical names in the text of a requirements file of those for this platform and Python."""
    found = (Requirement(text) for text in _LINE.findall(lock))
    return frozenset(
        canonicalize_name(each.name)
        for each in found
        if each.marker is None or each.marker.evaluate()
    )


def recorded_bytes(distribution: metadata.Distribution) -> int | None:
    """The sizes in its RECORD, added up; None if it has no RECORD.

    Files without a size there (RECORD itself, compiled bytecode) count as nothing.
    """
    files = distribution.files
    if files is None:
        return None
    return sum(file.size or 0 for file in files)


def python_files() -> Iterator[Path]:
    """The interpreter, its shared library and the standard library, as they are installed here.

    Without tests, bytecode, graphical parts and what is there for building only.
    """
    yield Path(sys.executable).resolve()
    shared = Path(str(sysconfig.get_config_var("LIBDIR"))) / str(
        sysconfig.get_config_var("INSTSONAME")
    )
    if shared.suffix != ".a" and shared.is_file():
        yield shared.resolve()
    yield from serving_files(Path(sysconfig.get_path("stdlib")))


def serving_files(folder: Path) -> Iterator[Path]:
    """The files of a standard library, without what a server does not need."""
    for path in sorted(folder.iterdir()):
        if path.name in _NOT_SERVING or path.name.startswith(_STATIC):
            continue
        if path.is_dir():
            yield from serving_files(path)
        elif path.is_file():
            yield path


def _next(distribution: metadata.Distribution, extras: set[str]) -> Iterator[Requirement]:
    for text in distribution.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None:
            if "" in extras:
                yield requirement
        elif any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            yield requirement
