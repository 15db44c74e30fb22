"""Every engine has its row in the table of docs/engines, which says what its spec says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.engines.overview import BEGIN, END, NONE, UNKNOWN, fact_of, formats_of, written
from python_runner.engines.table import engine, own_engine_names

PAGES = Path(__file__).parents[3] / "docs" / "engines"
LINK = re.compile(r"\[[^]]+\]\(([^)]+)\)")


def table() -> str:
    page = (PAGES / "README.md").read_text(encoding="utf-8")
    return page.partition(BEGIN)[2].partition(END)[0]


def test_the_table_is_that_of_the_engines() -> None:
    page = (PAGES / "README.md").read_text(encoding="utf-8")
    assert written(page, PAGES) == page, "run `python -m python_runner.engines.overview` on it"


@pytest.mark.parametrize("name", own_engine_names())
def test_a_row_leads_to_a_page_that_names_it(name: str) -> None:
    row = next(line for line in table().splitlines() if line.startswith(f"| `{name}` |"))
    link = LINK.search(row.rpartition("|")[0].rpartition("|")[2])
    assert link is not None
    text = (PAGES / link[1]).read_text(encoding="utf-8").lower()
    assert f"`{name}`" in text or text.startswith(
        f"# {name.replace('-', ' ')}".removesuffix(" wheel")
    )


def test_a_page_without_its_marks_is_not_written() -> None:
    with pytest.raises(ValueError, match="no lines"):
        written("# Engines\n", PAGES)


def test_what_is_not_known_is_said_so() -> None:
    assert fact_of("no-such-engine", "licence") == UNKNOWN
    assert formats_of(replace(engine("llama.cpp").spec, formats={})) == (NONE,) * 3
