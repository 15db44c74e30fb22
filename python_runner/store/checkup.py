"""What `polystack doctor` says of the folder of results."""

from __future__ import annotations

from collections.abc import Iterator

from python_runner.common.checkup import Finding, State
from python_runner.common.errors import StoreError
from python_runner.common.locations import RESULTS_VARIABLE, results_dir
from python_runner.common.machine import writable_parent
from python_runner.store.store import Store, default_store_path


class StoreCheckup:
    """Implements `checkup.Checkup`."""

    title = "Results"

    def look(self) -> Iterator[Finding]:
        folder = results_dir().absolute()
        if writable_parent(folder) is None:
            yield Finding(
                subject="folder",
                state=State.MISSING,
                detail=f"{folder} cannot be written",
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
        try:
            with Store(path, create=False) as store:
                count = len(store.run_ids())
        except StoreError as error:
            yield Finding(
                subject="store",
                state=State.MISSING,
                detail=error.message,
                mend=error.hint,
                is_needed=True,
            )
            return
        runs = "1 run" if count == 1 else f"{count} runs"
        yield Finding(subject="store", state=State.READY, detail=f"{path.absolute()}, {runs}")
