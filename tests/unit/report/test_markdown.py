"""Markdown that a pull request shows as it was meant."""

from __future__ import annotations

import re
from dataclasses import replace

from python_runner.report.document import (
    Cell,
    Code,
    Column,
    Document,
    Figure,
    Paragraph,
    Points,
    Section,
    Table,
    Tone,
)
from python_runner.report.markdown import MOST_CHARACTERS, markdown
from tests.golden.compare import assert_golden
from tests.unit.report.contents.told import document

TABLE = Table(
    columns=(Column(title="name"), Column(title="ms", is_number=True)),
    rows=[[Cell(text="a|b <script>"), Cell(text="1.5", value=1.5)]],
)


def of(*blocks: object, key: str = "figures") -> str:
    section = Section(key=key, title="A section", blocks=blocks)  # type: ignore[arg-type]
    told = Document(title="T", answer=("One.", "Two."), marks=(), sections=(section,), footer="F")
    return markdown(told)


def test_the_golden_run() -> None:
    assert_golden("report.md", markdown(document("four")))


def test_the_answer_stands_before_everything_else() -> None:
    lines = markdown(document("two")).splitlines()
    assert lines[0].startswith("# Run 7")
    assert lines[2] == "> **random weights**  "
    assert lines[4].startswith("llama.cpp (C++, embedded) was fastest")


def test_bars_and_angle_brackets_neither_end_a_cell_nor_make_mark_up() -> None:
    text = of(TABLE)
    assert r"| a\|b &lt;script&gt; | 1.5 |" in text
    assert "<script>" not in text


def test_signs_of_markdown_are_shown_as_they_are() -> None:
    text = of(Paragraph(text="2 * 3 * 4 _x_ [a](b) #1 ~no~ C:\\x"))
    assert r"2 \* 3 \* 4 \_x\_ \[a\](b) \#1 \~no\~ C:\\x" in text


def test_code_between_backquotes_stays_code() -> None:
    assert "type `polystack runs *`, please" in of(
        Paragraph(text="type `polystack runs *`, please")
    )
    assert r"one \` only" in of(Paragraph(text="one ` only"))


def test_nobody_is_called_by_an_at_sign() -> None:
    text = of(Paragraph(text="ollama@gogc=off on a Xeon @ 2.1 GHz"))
    assert "ollama&#64;gogc=off" in text
    assert "Xeon @ 2.1" in text


def test_a_fence_is_longer_than_any_within() -> None:
    assert "````\nx = ```\n````" in of(Code(text="x = ```"))


def test_tones_are_told_without_colour() -> None:
    rows = [[Cell(text="bad", tone=Tone.BAD), Cell(text="-", tone=Tone.UNKNOWN)]]
    assert "| **bad** | _-_ |" in of(replace(TABLE, rows=rows))


def test_a_link_survives_brackets_and_spaces() -> None:
    rows = [[Cell(text="run 3", link="a (b).md"), Cell(text="")]]
    assert "[run 3](a%20%28b%29.md)" in of(replace(TABLE, rows=rows))


def test_sections_of_detail_are_folded() -> None:
    text = of(Points(items=["one"]), key="environment")
    assert "<details>\n<summary><b>A section</b></summary>\n\n- one\n" in text


FIGURE = Figure(key="baseline", title="Latency", alt="Bars.", caption="", plot={}, table=TABLE)


def test_a_figure_is_its_picture_or_its_table() -> None:
    section = Section(key="figures", title="S", blocks=[FIGURE])
    told = Document(title="T", answer=(), marks=(), sections=(section,), footer="F")
    assert "| name | ms |" in markdown(told)
    assert "![Bars.](pics/baseline.png)" in markdown(
        told, pictures={"baseline": "pics/baseline.png"}
    )


def test_what_does_not_fit_into_a_comment_is_left_out_by_name() -> None:
    long = [Points(items=["word " * 1000] * 4)]
    sections = tuple(Section(key=f"s{n}", title=f"Part {n}", blocks=long) for n in range(5))
    told = Document(title="T", answer=("A.",), marks=(), sections=sections, footer="F")
    text = markdown(told)
    assert len(text) <= MOST_CHARACTERS
    assert "Part 0</b>" in text
    assert re.search(r"Left out, to fit into a comment .*: (Part \d; )*Part 4\.", text)


def test_a_usual_report_fits_as_a_whole() -> None:
    assert "Left out" not in markdown(document("four"))
