"""What `polystack doctor` says of the folder of results."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from python_runner.common.checkup import Finding, State
from python_runner.common.errors import StoreError
from python_runner.common.locations import RESULTS_VARIABLE, results_dir
from python_runner.common.machine import writable_parent
from python_runner.store.connection import rescue_hint
from python_runner.store.damage import find_damage
from python_runner.store.room import require_room
from python_runner.store.store import OlderStoreError, Store, default_store_path


class StoreCheckup:
    """Implements `checkup.Checkup`."""

    title = "Results"

    def look(self) -> Iterator[Finding]:
        folder = results_dir().absolute()
        is_file = folder.exists() and not folder.is_dir()
        if is_file or writable_parent(folder) is None:
            yield Finding(
                subject="folder",
                state=State.MISSING,
                detail=f"{folder} {'is a file' if is_file else 'cannot be written'}",
                mend=f"Go to a folder of yours, or set {RESULTS_VARIABLE}.",
                is_needed=True,
            )
            return
        path = default_store_path()
        if not path.is_file():
            yield Finding(
                subject="folder",
                state=State.READY,
                detail=f"{folder}: the first run makes it",
            )
            return
        yield _store(path)
        yield from _room(folder)


def _store(path: Path) -> Finding:
    """Whether the file can be read and written, and everything in it is what was written."""
    try:
        with Store(path, read_only=True) as store:
            store.check_pages()
            with store.one_moment() as connection:
                damage = find_damage(connection, None)
                runs = len(store.run_ids())
    except OlderStoreError as error:
        return Finding(
            subject="store", state=State.NOTE, detail=error.message, mend="polystack runs"
        )
    except StoreError as error:
        return _missing(error.message, error.hint)
    if damage:
        return _missing(f"{path.absolute()} is damaged: {damage.spelled()}", rescue_hint(path))
    if not os.access(path, os.W_OK):
        return _missing(
            f"{path.absolute()} cannot be written",
            f"Make it yours, or set {RESULTS_VARIABLE} to another folder.",
        )
    count = "1 run" if runs == 1 else f"{runs} runs"
    return Finding(subject="store", state=State.READY, detail=f"{path.absolute()}, {count}")


def _missing(detail: str, mend: str) -> Finding:
    return Finding(subject="store", state=State.MISSING, detail=detail, mend=mend, is_needed=True)


def _room(folder: Path) -> Iterator[Finding]:
    try:
        require_room(folder)
    except StoreError as error:
        yield Finding(
            subject="disk",
            state=State.MISSING,
            detail=error.message,
            mend=error.hint,
            is_needed=True,
        )
