"""Every engine has its row in the table of docs/engines, which says what its spec says."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

import pytest

from python_runner.engines import table
from python_runner.engines.table import engine

PAGES = Path(__file__).parents[3] / "docs" / "engines"
LINK = re.compile(r"\[[^]]+\]\(([^)]+)\)")
OURS = [name for name, row in table._ROWS.items() if not row.hidden]


def rows() -> dict[str, list[str]]:
    """The cells of each row of the first table, by the engine's name."""
    lines = (PAGES / "README.md").read_text(encoding="utf-8").splitlines()
    begin = next(index for index, line in enumerate(lines) if line.startswith("| name |"))
    table_lines = takewhile(lambda line: line.startswith("|"), lines[begin:])
    found = ([cell.strip() for cell in line.strip("| ").split("|")] for line in table_lines)
    return {cells[0].strip("`"): cells[1:] for cells in found if cells[0].startswith("`")}


def row_of(name: str) -> list[str]:
    found = rows()
    assert name in found, "docs/engines/README.md has no row for it"
    return found[name]


def test_the_table_has_no_other_rows() -> None:
    assert set(rows()) <= set(OURS)


@pytest.mark.parametrize("name", OURS)
def test_a_row_says_what_the_spec_says(name: str) -> None:
    spec = engine(name).spec
    language, path, reads, can_ignore, *_ = row_of(name)
    assert (language, path, reads.lower()) == (spec.language, spec.reach, spec.model_format)
    assert can_ignore == ("yes" if spec.can_ignore_end_of_sequence else "no")


@pytest.mark.parametrize("name", OURS)
def test_a_row_leads_to_a_page(name: str) -> None:
    link = LINK.fullmatch(row_of(name)[-1])
    assert link is not None
    assert (PAGES / link[1]).is_file()
