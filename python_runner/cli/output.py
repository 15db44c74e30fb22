"""What several commands print and where it lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from python_runner.common.errors import StoreError, UsageError
from python_runner.common.locations import results_dir

if TYPE_CHECKING:
    from rich.console import Console

    from python_runner.report.of_run import RunReport
    from python_runner.store import Store
    from python_runner.study import Study


@dataclass(frozen=True)
class Results:
    """The folder of the user's results."""

    folder: Path

    @classmethod
    def at(cls, folder: Path | None) -> Results:
        """The folder that the user named, or the usual one."""
        return cls(folder or results_dir())

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def store(self) -> Path:
        return self.folder / "polystack.sqlite"

    def pictures(self, run_id: int) -> Path:
        """Where the pictures of a run go."""
        return self.folder / f"run-{run_id:04d}"

    def report(self, run_ids: Sequence[int]) -> Path:
        """Where a report goes: beside the pictures of its run, or a folder of its own."""
        if len(run_ids) == 1:
            return self.pictures(run_ids[0])
        return self.folder / f"runs-{'-'.join(str(run_id) for run_id in run_ids)}"

    def open_store(self, *, create: bool = False, study: Study | None = None) -> Store:
        """The store in this folder. Raises StoreError if there is none and `create` is off.

        With `create` a run is to come: StoreError, too, if the store could not keep it.
        """
        from python_runner.store import Store
        from python_runner.store.room import expected_bytes

        store = Store(self.store, create=create)
        if store.kept_copy is not None:
            say_aside(
                f"{self.store} is of this version's schema now; as it was it is kept as "
                f"{store.kept_copy.name}"
            )
        try:
            if create:
                with _writing(self.logs, hint="Name another folder with --results."):
                    self.logs.mkdir(exist_ok=True)
                store.get_ready(None if study is None else expected_bytes(study))
        except BaseException:
            store.close()
            raise
        return store

    def writing(self, folder: Path) -> AbstractContextManager[None]:
        """What cannot be written into `folder` meanwhile is told as such, with a StoreError."""
        return _writing(folder)


_AGAIN = (
    "The run itself is kept. Make room, or name another folder, and type it again: "
    "`polystack plot RUN`, `polystack report RUN`, `polystack export RUN`."
)


@contextmanager
def _writing(folder: Path, hint: str = _AGAIN) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{error.filename or folder} cannot be written: {error.strerror or error}",
            hint=hint,
        ) from error


def say_aside(message: str) -> None:
    """Print a line to standard error, beside what was asked for."""
    from rich.console import Console

    Console(stderr=True, soft_wrap=True).print(message, markup=False, highlight=False)


def console() -> Console:
    """Standard output; the width is the terminal's, or 100 columns in a file."""
    from python_runner.cli.terminal import PlainConsole

    found = PlainConsole()
    return found if found.is_terminal else PlainConsole(width=100)


def say(message: str) -> None:
    """Print a line as it is."""
    console().print(message, markup=False, highlight=False, soft_wrap=True)


def split_names(text: str) -> list[str]:
    """`a, b` as two names."""
    return [name.strip() for name in text.split(",") if name.strip()]


def positive_number(option: str, text: str) -> int:
    """`text` as a whole number of at least 1. Raises UsageError that names the option."""
    if not text.isdigit() or int(text) == 0:
        raise UsageError(
            f"{option}: {text!r} is no number of them", hint="Whole numbers from 1 on."
        )
    return int(text)


@contextmanager
def telling_what_is_kept(store: Store) -> Iterator[None]:
    """Where Ctrl-C or a signal ends this `with` statement, say what is kept of a run begun in it.

    The end is passed on.
    """
    before = len(store.run_ids())
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        _tell_kept(store, before)
        raise


def _tell_kept(store: Store, before: int) -> None:
    ids = store.run_ids()
    if len(ids) > before:
        tell_interrupted(ids[-1])
        tell_not_begun(store, ids[-1])


def tell_interrupted(run_id: int) -> None:
    """After Ctrl-C or a signal: what is kept of a run, and how it goes on."""
    say(
        f"\nInterrupted. What was finished is kept as run {run_id}: polystack show {run_id}\n"
        f"Go on with it: polystack resume {run_id}"
    )


def tell_not_begun(store: Store, run_id: int) -> None:
    """Say what a run's published study lacks, besides what this run itself may lack."""
    from python_runner.run.published.tables import mark_in, not_begun

    missing, whole = not_begun(store, run_id)
    mark = mark_in(store, run_id)
    if missing and mark is not None:
        say(
            f"{mark.name}, scale {mark.scale}: {missing} of its {whole} runs "
            f"{'was' if missing == 1 else 'were'} never begun, and no run that goes on brings "
            f"{'it' if missing == 1 else 'them'}. The whole study anew: "
            f"polystack study {mark.name} --scale {mark.scale}"
        )


def show_summary(store: Store, run_id: int) -> None:
    """Print the table of a run."""
    console().print(report(store, run_id).summary())


def draw(store: Store, run_id: int, results: Results) -> None:
    """Draw the pictures of a run and print their paths."""
    folder = results.pictures(run_id)
    with results.writing(folder):
        paths = report(store, run_id).draw(folder)
    for path in paths:
        say(str(path))


def report(store: Store, run_id: int) -> RunReport:
    """The reports of a stored run, whatever it measured."""
    from python_runner.report.of_run import report_of
    from python_runner.store import read_frames

    return report_of(read_frames(store, [run_id]))


def tell_broken_servers() -> None:
    """Say which servers of the user's own files are left out, and why."""
    from python_runner.engines.servers.read import users_files

    for broken in users_files().broken:
        what = ", ".join(broken.names)
        say(f"Beware: {what or 'some server'} is left out. {broken.error.message}")
        say(broken.error.hint)
