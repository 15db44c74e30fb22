"""What of the cache can go, how much that frees, and removing it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from python_runner.common.build.cache import RECIPE, builds_dir, is_built
from python_runner.common.locations import cache_dir

_BLOCK_BYTES = 512  # the unit of st_blocks, whatever the file system's own is


@dataclass(frozen=True, kw_only=True)
class Removal:
    """One folder that can go."""

    path: Path
    reason: str


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What besides superseded builds is to go."""

    all_builds: bool = False
    cargo_target: bool = False
    models: bool = False


def removals(used: Collection[Path], scope: Scope) -> tuple[Removal, ...]:
    """What can go.

    A build goes when another of its kind is the one that is used, and is there; what no
    engine of this checkout asks about is kept, unless all builds are to go.

    Args:
        used: the builds that this checkout uses, made or not.
        scope: what else is to go.
    """
    found = [*_builds(used, everything=scope.all_builds)]
    if scope.cargo_target:
        found += _folder("cargo-target", "what cargo keeps between builds")
    if scope.all_builds:
        found += _folder("vllm", "what vLLM has compiled for models")
    if scope.models:
        found += _folder("models", "weights, GGUF files and other forms made here")
        found += _folder("ollama-models", "what Ollama has taken in")
        found += _folder("ollama-models-installed", "what an installed Ollama has taken in")
    return tuple(found)


def _builds(used: Collection[Path], *, everything: bool) -> Iterator[Removal]:
    current = {_kind(folder) for folder in used if is_built(folder)}
    for folder in sorted(path for path in builds_dir().glob("*") if path.is_dir()):
        if everything:
            yield Removal(path=folder, reason="a build")
        elif not is_built(folder):
            with _not_while_built(folder) as is_free:
                pass
            if not is_free:
                continue
            yield Removal(path=folder, reason="never finished")
        elif folder not in used and _kind(folder) in current:
            yield Removal(path=folder, reason="replaced by a newer build")


def _kind(folder: Path) -> str:
    """`llama-cpp` of `llama-cpp-9a36f864d7bc91ad`."""
    return folder.name.rpartition("-")[0]


def _folder(name: str, reason: str) -> Iterator[Removal]:
    path = cache_dir() / name
    if path.is_dir():
        yield Removal(path=path, reason=reason)


def remove(removal: Removal) -> bool:
    """Remove the folder; False if a build is under way in it, and it was left alone."""
    with _not_while_built(removal.path) as is_free:
        if is_free:
            # Without its recipe it is no finished build, should the rest be interrupted.
            with contextlib.suppress(FileNotFoundError):
                (removal.path / RECIPE).unlink()
            shutil.rmtree(removal.path, ignore_errors=True)
    return is_free


@contextmanager
def _not_while_built(folder: Path) -> Iterator[bool]:
    """Holds the lock that a build of `folder` takes; False if it is taken."""
    lock = folder.parent / f".{folder.name}.lock"
    if not lock.exists():
        yield True
        return
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def bytes_freed(folders: Iterable[Path]) -> int:
    """What removing all of `folders` gives back to the disk.

    A file that is linked from elsewhere, too, gives nothing back.
    """
    links: Counter[tuple[int, int]] = Counter()
    files: dict[tuple[int, int], os.stat_result] = {}
    for folder in folders:
        for status in _files(folder):
            key = (status.st_dev, status.st_ino)
            links[key] += 1
            files[key] = status
    return sum(
        status.st_blocks * _BLOCK_BYTES
        for key, status in files.items()
        if links[key] >= status.st_nlink
    )


def _files(folder: Path) -> Iterator[os.stat_result]:
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # gone meanwhile
                yield os.lstat(Path(parent) / name)
