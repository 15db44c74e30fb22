"""The workbench's own load on a server, in a process whose files and threads are counted.

`python -m tests.faults.load.client_program URL FOLDER USERS SECONDS TOKENS CALIBRATED`. A short
load comes first, so that all that is opened once is open. Prints a JSON object: files and threads
before the long load and after it. The live table is drawn, into nothing.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

import psutil
from rich.console import Console

from python_runner.cli.run_progress import RunProgress
from python_runner.common.errors import EngineError
from python_runner.engines.contract import Dialect
from python_runner.engines.outside import Outside, OutsideEngine
from python_runner.engines.outside.dialects import PATHS, Options
from python_runner.measure.load.calibration import Pace
from python_runner.run.calibration import CalibratorOnDemand
from python_runner.run.load import check_open_files, load_outside
from python_runner.run.load_plan import Asked
from python_runner.store import Store
from tests.real.loads import study_of

STORE = "polystack.sqlite"
_DIALECT = Dialect.OPENAI_COMPLETIONS
_PATIENCE_S = 5.0


def main() -> None:
    url, folder, users, seconds, tokens, calibrated = sys.argv[1:]
    if not int(calibrated):
        CalibratorOnDemand.measure = _not_now  # type: ignore[method-assign] # saves seconds
    target = Outside(url=url + PATHS[_DIALECT], dialect=_DIALECT)
    with (
        Store(Path(folder) / STORE, create=True) as store,
        Path(os.devnull).open("w", encoding="utf-8") as nothing,
    ):
        console = Console(file=nothing, force_terminal=True, width=120)
        _put(store, target, console, users=2, seconds=1.0, tokens=2)
        before = _counted()
        _put(store, target, console, users=int(users), seconds=float(seconds), tokens=int(tokens))
        after = _counted()
        deadline = time.monotonic() + _PATIENCE_S
        while after != before and time.monotonic() < deadline:  # the client's thread is ending
            time.sleep(0.1)
            after = _counted()
    sys.stdout.write(json.dumps({"before": before, "after": after}))


def _put(
    store: Store, target: Outside, console: Console, *, users: int, seconds: float, tokens: int
) -> None:
    study = study_of(
        {"users": (users,), "duration_s": seconds, "keep_answers": True}, new_tokens=tokens
    )
    assert study.load
    check_open_files(study.load)
    with RunProgress(console, store.path) as progress:
        load_outside(
            study,
            store,
            OutsideEngine(target, Options(model="truth", ignore_eos=True)),
            Asked(model="truth", outside=target),
            logs=store.path.parent / "logs",
            progress=progress,
            on_begin=progress.begin,
        )


def _not_now(self: CalibratorOnDemand, pace: Pace) -> NoReturn:
    raise EngineError("not now")


def _counted() -> dict[str, int]:
    process = psutil.Process()
    return {"files": process.num_fds(), "threads": process.num_threads()}


if __name__ == "__main__":
    main()
