"""Where runs are read from: the user's results, another folder or file, or the shipped sample."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from python_runner.common.errors import StoreError, UnknownNameError, UsageError
from python_runner.common.locations import RESULTS_VARIABLE, results_dir, source_root
from python_runner.store import Store

SAMPLE = "sample"
SAMPLE_FILE = Path(__file__).with_name("sample.sqlite")
LATEST = "latest"
ALL = "all"
_STORE = "polystack.sqlite"
_LOG = "-wal"

What = int | str | os.PathLike[str]
"""A run (its number, `latest`, `all`), or a place (`sample`, a folder of results, a store)."""


@dataclass(frozen=True)
class Place:
    """A store on disk."""

    file: Path

    @contextmanager
    def open(self) -> Iterator[Store]:
        """The store, for reading. Raises StoreError if there is none, or it is none of ours.

        A file that cannot be written, and the sample, which must not change, are read from a
        copy: opening a store may bring its tables up to date.
        """
        if self.file != SAMPLE_FILE and (not self.file.is_file() or _is_writable(self.file)):
            with Store(self.file, create=False) as store:
                yield store
            return
        with tempfile.TemporaryDirectory(prefix="polystack-") as folder:
            copy = Path(folder) / self.file.name
            shutil.copyfile(self.file, copy)
            log = self.file.with_name(self.file.name + _LOG)
            if log.is_file():
                shutil.copyfile(log, copy.with_name(copy.name + _LOG))
            with Store(copy, create=False) as store:
                yield store


def find(what: Sequence[What], results: What | None = None) -> tuple[Place, tuple[str, ...]]:
    """The place and the names of the runs that are asked for; `latest` if none is named.

    Args:
        what: runs; a place may stand first.
        results: the place, if it does not stand there; None: the user's results.

    Raises:
        UsageError: it cannot be meant so; the message says what can be.
    """
    names = [_checked(one) for one in what]
    has_place = bool(names) and not isinstance(names[0], _RunName)
    if has_place and results is not None:
        raise UsageError(
            f"two places are named, {str(what[0])!r} and {str(results)!r}",
            hint="Name the place once: first, or as results=.",
        )
    runs = names[1:] if has_place else names
    for one in runs:
        if not isinstance(one, _RunName):
            raise UsageError(
                f"{str(one)!r} is a place, and runs are named before it",
                hint='The place stands first: load("sample", 1), load("results", 3, 5).',
            )
    place = names[0] if has_place else _usual() if results is None else results
    return _place(place), tuple(str(one) for one in runs) or (LATEST,)


def run_ids(store: Store, names: Sequence[str]) -> list[int]:
    """The numbers of these runs, each once. Raises UnknownNameError, StoreError for no runs."""
    known = store.run_ids()
    if not known:
        raise StoreError(
            f"{store.path} holds no run yet", hint='`just demo` makes one; "sample" has one.'
        )
    found = [known if name == ALL else [store.find_run(name)] for name in names]
    return list(dict.fromkeys(number for some in found for number in some))


class _RunName(str):
    """A run, and not a place."""

    __slots__ = ()


def _checked(what: object) -> str | Path:
    if isinstance(what, int | np.integer) and not isinstance(what, bool):
        return _RunName(int(what))
    if isinstance(what, os.PathLike):
        return Path(what)
    if not isinstance(what, str):
        raise UsageError(
            f"{what!r} is neither a run nor a place",
            hint='Runs: load(3), load(3, 5), load("latest"), load("all"). '
            'Places: load("sample"), load("folder of results").',
        )
    if what == SAMPLE:
        return what
    if what in (LATEST, ALL) or what.isdigit():
        return _RunName(what)
    path = Path(what).expanduser()
    if path.exists() or os.sep in what or path.suffix:
        return path
    raise UnknownNameError("run or place", what, [LATEST, ALL, SAMPLE, "a run's number", "a path"])


def _place(what: What) -> Place:
    if what == SAMPLE:
        return Place(SAMPLE_FILE)
    path = Path(str(what)).expanduser()
    file = path if path.is_file() else path / _STORE
    if not file.is_file():
        raise StoreError(
            f"no results at {path}",
            hint='`just compare` or `just demo` makes some; "sample" is a run that comes with '
            f"polystack. Another folder: name it first, or set {RESULTS_VARIABLE}.",
        )
    return Place(file)


def _usual() -> Path:
    """The user's results: in a notebook's folder, those of the checkout that it belongs to."""
    usual = results_dir()
    checkout = source_root()
    is_inside = Path.cwd().is_relative_to(checkout)
    if (usual / _STORE).is_file() or RESULTS_VARIABLE in os.environ or not is_inside:
        return usual
    return checkout / usual if (checkout / usual / _STORE).is_file() else usual


def _is_writable(file: Path) -> bool:
    return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)
