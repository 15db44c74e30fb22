"""Builds are kept outside the checkout, in a folder named by a hash of what went in.

A fresh clone on the same machine finds them again; a changed source, flag or compiler
gives another hash, so a stale build cannot be picked up.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from python_runner.common.build.survey import Survey
from python_runner.common.build.times import BuildClock, keep_time
from python_runner.common.locations import cache_dir
from python_runner.common.progress import Progress

_HASH_CHARACTERS = 16
RECIPE = "recipe.json"
"""The file that a finished build has, and no other."""


def builds_dir() -> Path:
    """Where all builds lie."""
    return cache_dir() / "builds"


def scratch_dir() -> Path:
    """Where temporary files of builds lie: on the same disk, and never inside a checkout."""
    folder = cache_dir() / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fresh_log(name: str) -> Path:
    """The log of one build, which a failure's hint names; what an earlier try left is gone."""
    log = cache_dir() / "logs" / f"{name}.log"
    log.unlink(missing_ok=True)
    return log


def hash_tree(root: Path, patterns: tuple[str, ...] = ("**/*",)) -> str:
    """SHA-256 over relative paths and contents of the files in `root` that match."""
    digest = hashlib.sha256()
    files = {p for pattern in patterns for p in root.glob(pattern) if p.is_file()}
    for path in sorted(files):
        relative = path.relative_to(root)
        if {"target", "build", "__pycache__"} & set(relative.parts):
            continue
        digest.update(f"{relative.as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def location(name: str, recipe: Mapping[str, object]) -> Path:
    """The folder for the build `name` made from `recipe` (JSON-serialisable: all inputs)."""
    text = json.dumps(recipe, sort_keys=True)
    return builds_dir() / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:_HASH_CHARACTERS]}"


def is_built(folder: Path) -> bool:
    """Whether the build in `folder` was completed."""
    return (folder / RECIPE).is_file()


def recipe_of(folder: Path) -> dict[str, object]:
    """What went into the finished build in `folder`."""
    recipe: dict[str, object] = json.loads((folder / RECIPE).read_text())
    return recipe


def build_once(
    name: str,
    recipe: Mapping[str, object],
    build: Callable[[Path], None],
    progress: Progress,
) -> Path:
    """The folder of a finished build, made by `build(folder)` if it is not there yet.

    A build that fails leaves no finished folder behind. Two processes that want the same
    build wait for each other. `build` opens a task of `progress` before it writes anything:
    that tells a `Survey` what would be done, and nothing is. How long it took is kept with it
    (`times.kept_time`).
    """
    folder = location(name, recipe)
    if isinstance(progress, Survey):
        progress.note(folder, is_built=is_built(folder), build=build)
        return folder
    if is_built(folder):
        return folder
    with held(folder):
        if is_built(folder):
            return folder
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        clock = BuildClock()
        try:
            build(folder)
            keep_time(folder, clock.read())
        except BaseException:  # Ctrl-C too must not leave gigabytes that nobody finds
            shutil.rmtree(folder, ignore_errors=True)
            raise
        (folder / RECIPE).write_text(json.dumps(dict(recipe), indent=2, sort_keys=True))
    return folder


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other processes and threads out that hold the same; waits for them."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
