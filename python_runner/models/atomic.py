"""Files and folders that are either complete or not there."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Replace the content of `path` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The process id keeps two processes that write the same file out of each other's way.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


@contextmanager
def one_at_a_time(target: Path) -> Iterator[None]:
    """Let processes that want to make the same `target` wait for each other."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f".{target.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """A folder beside `target` to work in; gone afterwards, whatever happened.

    Left behind only by a process that was killed; call it inside `one_at_a_time`, which
    makes it safe to clear what such a process left.
    """
    folder = target.parent / f".{target.name}.unfinished"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
