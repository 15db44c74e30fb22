"""What each platform answered, a file each: for reading, beside the table of averages."""

from __future__ import annotations

import re
from pathlib import Path

from python_runner.analyse.published import PartRun
from python_runner.analyse.published.nine_prompts import answers_by_stack
from python_runner.common.errors import UsageError
from python_runner.report.csv_cells import inert_table
from python_runner.run.published.tables import mark_in, series_of
from python_runner.store import Store, read_frames
from python_runner.study import load_published

_TABLE = "nine-prompts"


def write_answers(store: Store, run_id: int, folder: Path) -> list[Path]:
    """`answers-STACK.csv` for each stack of a run whose study asks short questions; else nothing.

    One line for each question, those of warm-up left out: prompt, seconds, output tokens,
    tokens/s, answer; figures of a failed request are empty. Raises UsageError if a file cannot be
    written.
    """
    mark = mark_in(store, run_id)
    if mark is None or load_published(mark.name).table != _TABLE:
        return []
    several = len(series_of(store, run_id)) > 1
    found = answers_by_stack(PartRun(read_frames(store, [run_id])))
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stack, table in found.items():
            part = f"run-{run_id}-" if several else ""
            name = re.sub(r"[^A-Za-z0-9._-]+", "-", f"answers-{part}{stack}")
            inert_table(table).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
            written.append(folder / f"{name}.csv")
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror or error}",
            hint="Name another folder with --output.",
        ) from error
    return written
