"""Runs as files for other programs: rows for requests, for tokens or chunks, and for stages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from python_runner.analyse.answers.tidy import tidy_answers
from python_runner.analyse.attempts import tidy_attempts
from python_runner.analyse.fairness import fairness_pairs
from python_runner.analyse.load.tidy import tidy_chunks, tidy_requests
from python_runner.analyse.tidy import tidy_pairs, tidy_samples, tidy_stages, tidy_tokens
from python_runner.common.errors import UnknownNameError, UsageError
from python_runner.common.whole_file import whole_file
from python_runner.report.csv_cells import inert_table
from python_runner.store import Frames

Writer = Callable[[pd.DataFrame, Path], None]


def export(
    samples: pd.DataFrame,
    conditions: pd.DataFrame,
    runs: pd.DataFrame,
    format_name: str,
    path: Path,
    *,
    answers: pd.DataFrame | None = None,
) -> list[Path]:
    """Write runs to `path`, and beside it their tokens, stages and what may be said of the stacks.

    The files beside it are `NAME-tokens.SUFFIX`, `NAME-stages.SUFFIX`, `NAME-pairs.SUFFIX` and
    `NAME-fairness.SUFFIX`, which has what was equal (`analyse.fairness.fairness_pairs`). The
    others are tidy (see `analyse.tidy`), and say in the column `random_weights` where the model
    was never trained. Times are milliseconds, except the raw stamps of columns that end in `_ns`.

    Args:
        samples: one row for each request.
        conditions: one row for each stack of a run.
        runs: one row for each run.
        format_name: `csv`, `parquet` or `json` (an array of records).
        path: the first file; its folder is made if it is not there.
        answers: of `store.AnswerFrames`; if there are any, a third file (`NAME-answers.SUFFIX`)
            has a row for each. So has `NAME-attempts.SUFFIX` for attempts that failed and were
            made again, if there were any.

    Returns:
        The files.

    Raises:
        UsageError: there is no such format, or the files cannot be written.
    """
    tables = {
        path: lambda: tidy_samples(samples, conditions, runs),
        _beside(path, "tokens"): lambda: tidy_tokens(samples, conditions),
        _beside(path, "pairs"): lambda: tidy_pairs(samples, conditions, runs),
        _beside(path, "stages"): lambda: tidy_stages(samples, conditions),
        _beside(path, "fairness"): lambda: fairness_pairs(conditions),
    }
    attempts = tidy_attempts(conditions)
    if len(attempts):
        tables[_beside(path, "attempts")] = lambda: attempts
    if answers is not None and len(answers):
        tables[_beside(path, "answers")] = lambda: tidy_answers(answers, conditions)
    return _write(tables, format_name)


def export_load(frames: Frames, format_name: str, path: Path) -> list[Path]:
    """Write a load to `path`, and two files beside it (`NAME-chunks.SUFFIX`, `NAME-fairness…`).

    Tidy tables (see `analyse.load.tidy`), and what was equal. Formats, units and errors as in
    `export`.
    """
    requests, levels = frames.load_requests, frames.load_levels
    return _write(
        {
            path: lambda: tidy_requests(requests, levels, frames.conditions, frames.runs),
            _beside(path, "chunks"): lambda: tidy_chunks(requests, levels),
            _beside(path, "fairness"): lambda: fairness_pairs(frames.conditions),
        },
        format_name,
    )


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f"{path.stem}-{what}{path.suffix}")


def _write(tables: Mapping[Path, Callable[[], pd.DataFrame]], format_name: str) -> list[Path]:
    if format_name not in WRITERS:
        raise UnknownNameError("export format", format_name, WRITERS)
    write = WRITERS[format_name]
    for path, make in tables.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as draft:
                write(make(), draft)
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written: {error.strerror or error}",
                hint="Name another file with --output.",
            ) from error
    return list(tables)


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    inert_table(_flat(table, (dict, list))).to_csv(path, index=False, lineterminator="\n")


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    # Parquet knows lists; a dictionary's keys, though, would become columns of its schema.
    _flat(table, (dict,)).to_parquet(path, index=False)


def _write_json(table: pd.DataFrame, path: Path) -> None:
    table.to_json(path, orient="records", indent=1, double_precision=9, force_ascii=False)


WRITERS: dict[str, Writer] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
    "json": _write_json,
}
"""The table of formats. A new one is a function and a row."""


_NESTED = (
    "build",
    "facts",
    "allowed_unfair",
    "client_error",
    "level_client_error",
    "engine_timings",
    "loads",
    "resources",
    "token_ids",
    "greedy_ids",
    "shortfalls",
)


def _flat(table: pd.DataFrame, nested: tuple[type, ...]) -> pd.DataFrame:
    """`table` with values of the types `nested` as JSON text."""
    flat = table.copy()
    for name in _NESTED:
        if name in flat:
            flat[name] = [
                json.dumps(value) if isinstance(value, nested) else value for value in flat[name]
            ]
    return flat
