"""Gather what stored runs say, and write it in the formats that are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from python_runner.common.errors import UnknownNameError, UsageError
from python_runner.report.claims import ClaimsData, claims_data
from python_runner.report.contents import Reported, ReportedComparison, document_of, reported
from python_runner.report.document import Document
from python_runner.report.load_data import load_data
from python_runner.report.load_facts import load_facts
from python_runner.report.markdown import markdown
from python_runner.report.of_run import report_of
from python_runner.report.summary_json import summary_json
from python_runner.run.claims import JudgedRuns, judge_runs
from python_runner.run.published import table_of_run
from python_runner.run.why import runs_explaining
from python_runner.store import Store, read_frames

USUAL = ("html", "md", "json")
"""Formats of a report unless told otherwise; tables of every token are written on request."""
PAGE, COMMENT, SUMMARY = "report.html", "report.md", "summary.json"


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """Runs and what they are held against."""

    runs: tuple[Reported, ...]
    claims: ClaimsData | None
    """Of several runs that have claims in common: side by side."""


def gather(store: Store, run_ids: Sequence[int]) -> Gathered:
    """Read runs, judge their claims, find the ablations that explain them.

    Args:
        store: where they are.
        run_ids: at least one; each once, in the order in which they are to be told.
    """
    runs = tuple(_one(store, run_id) for run_id in run_ids)
    compared = [run.facts.run_id for run in runs if isinstance(run, ReportedComparison)]
    together = _judged(store, compared)[0] if len(compared) > 1 else None
    return Gathered(runs=runs, claims=together)


def write_report(
    found: Gathered, folder: Path, formats: Sequence[str], *, pictures: Mapping[int, Path]
) -> list[Path]:
    """Write a report into `folder`, which is made if it is not there.

    Args:
        found: what to tell.
        folder: older files of the same names are replaced.
        formats: of `FORMATS`.
        pictures: run to the folder of its pictures, for Markdown.

    Returns:
        The files, in the order of the formats.

    Raises:
        UnknownNameError: there is no such format.
        UsageError: the folder or a file cannot be written.
    """
    check_formats(formats)
    job = _Job(found=found, folder=folder, pictures=pictures)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [path for name in dict.fromkeys(formats) for path in FORMATS[name](job)]
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror or error}",
            hint="Name another folder with --output.",
        ) from error


def check_formats(formats: Sequence[str]) -> None:
    """Raises UnknownNameError if one of them is none."""
    for name in formats:
        if name not in FORMATS:
            raise UnknownNameError("report format", name, FORMATS)


def claims_of(judged: JudgedRuns) -> ClaimsData:
    """Judged runs as tables and pictures are given them."""
    runs = [
        (one.judgement, one.frames.samples, one.frames.conditions, one.frames.runs, one.to_run)
        for one in judged.runs
    ]
    loads = {
        one.judgement.run_id: load_facts(load_data(one.frames))
        for one in judged.runs
        if len(one.frames.load_levels)
    }
    return claims_data(judged.claims, runs, judged.warning, loads=loads)


def _one(store: Store, run_id: int) -> Reported:
    frames = read_frames(store, [run_id])
    ablations = runs_explaining(store, run_id)
    claims, lack = _judged(store, [run_id], ablations)
    explaining = [read_frames(store, [each]) for each in ablations]
    return reported(
        frames,
        claims=claims,
        claims_lack=lack,
        explaining=explaining,
        table=table_of_run(store, run_id),
    )


def _judged(
    store: Store, run_ids: Sequence[int], ablations: Sequence[int] = ()
) -> tuple[ClaimsData | None, str]:
    """The claims that these runs have in common; None if they have none, and why."""
    try:
        return claims_of(judge_runs(store, run_ids, ablations=ablations)), ""
    except UsageError as error:
        return None, error.message


@dataclass(frozen=True, kw_only=True)
class _Job:
    found: Gathered
    folder: Path
    pictures: Mapping[int, Path]

    @cached_property
    def document(self) -> Document:
        return document_of(self.found.runs, claims=self.found.claims)

    def keep(self, name: str, text: str) -> list[Path]:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return [path]


def _page(job: _Job) -> list[Path]:
    from python_runner.report.html import render

    return job.keep(PAGE, render(job.document))


def _comment(job: _Job) -> list[Path]:
    return job.keep(COMMENT, markdown(job.document, pictures=_seen_from(job)))


def _seen_from(job: _Job) -> dict[str, str]:
    """Key of each figure to its picture, as far as it has been drawn."""
    is_alone = len(job.found.runs) == 1
    found = {}
    for run_id, folder in job.pictures.items():
        prefix = "" if is_alone else f"run-{run_id}-"
        for path in sorted(folder.glob("*.png")):
            seen = os.path.relpath(path, job.folder)
            found[f"{prefix}{path.stem}"] = Path(seen).as_posix()
    return found


def _summary(job: _Job) -> list[Path]:
    return job.keep(SUMMARY, summary_json(job.found.runs))


def _tables(format_name: str) -> Callable[[_Job], list[Path]]:
    """The tidy tables of every run, as `polystack export` writes them."""

    def write(job: _Job) -> list[Path]:
        paths = []
        for run in job.found.runs:
            report = report_of(run.frames)
            prefix = "" if len(job.found.runs) == 1 else f"run-{run.facts.run_id}-"
            name = f"{prefix}{report.table_name}.{format_name}"
            paths += report.export(format_name, job.folder / name)
        return paths

    return write


FORMATS: Mapping[str, Callable[[_Job], list[Path]]] = {
    "html": _page,
    "md": _comment,
    "json": _summary,
    "csv": _tables("csv"),
    "parquet": _tables("parquet"),
}
"""The table of formats. A new one is a function and a row."""
