"""The table of a published study as files: CSV for programs, Markdown for people."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from python_runner.analyse.published import PublishedTable
from python_runner.common.errors import UsageError
from python_runner.report.contents.published import published_section
from python_runner.report.csv_cells import inert
from python_runner.report.document import Document
from python_runner.report.markdown import markdown
from python_runner.report.words.published import WHOSE, head_of, whose

CSV_FILE, MARKDOWN_FILE = "study.csv", "study.md"


def write_published(table: PublishedTable, folder: Path) -> list[Path]:
    """`study.csv` and `study.md` in `folder`. Raises UsageError if they cannot be written."""
    written = {CSV_FILE: published_csv(table), MARKDOWN_FILE: published_markdown(table)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in written.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror or error}",
            hint="Name another folder with --output.",
        ) from error
    return [folder / name for name in written]


def published_csv(table: PublishedTable) -> str:
    """One line for each row; figures whole, empty where they are not known."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    heads = [head_of(one) for one in table.columns]
    writer.writerow([*heads, WHOSE, "why not comparable", "what is missing, and why"])
    for row in table.rows:
        figures = [row.values.get(one.key, "") for one in table.columns]
        cells = [*figures, whose(row), row.not_comparable, row.lack]
        writer.writerow([inert(one) if isinstance(one, str) else one for one in cells])
    return written.getvalue()


def published_markdown(table: PublishedTable) -> str:
    """The table and what has to be said of it, as GitHub reads it."""
    return markdown(
        Document(
            title=table.title,
            answer=(),
            marks=(),
            sections=[published_section(table)],
            footer="polystack",
        )
    )
