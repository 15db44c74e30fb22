"""What a report says, apart from how it looks: HTML and Markdown are made from the same.

Text is plain. A pair of backquotes makes code of what stands between them; everything else,
angle brackets and stars included, is shown as it is, so a model's output can do no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Tone(StrEnum):
    """What a cell says besides its words. Never said by colour alone."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One place of a table.

    Attributes:
        text: what is shown.
        tone: how it is meant.
        note: what a reader sees who wants to know more; empty: nothing.
        link: a run, a file or an address; empty: none.
        value: the number behind the text, for sorting and for machines; None: there is none.
    """

    text: str
    tone: Tone = Tone.PLAIN
    note: str = ""
    link: str = ""
    value: float | None = None


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its title with the unit, what it means, and whether it holds numbers."""

    title: str
    meaning: str = ""
    is_number: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of cells, each as long as there are columns; the first cell names its row."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """Running text."""

    text: str
    is_warning: bool = False
    """A condition that a reader must not miss."""


@dataclass(frozen=True, kw_only=True)
class Points:
    """A list of short texts."""

    items: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Code:
    """Something to type, or a file's text."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """An interactive picture.

    Attributes:
        key: unique on the page; letters, digits and hyphens.
        title: what it shows, as a heading.
        alt: what there is to see, in a sentence, for readers who cannot.
        caption: the conditions.
        plot: a Plotly figure as plain data, `data` and `layout`. A trace that belongs to a
            stack has its name in `legendgroup`, so that one switch moves it in all pictures.
        table: the same figures as numbers.
    """

    key: str
    title: str
    alt: str
    caption: str
    plot: Mapping[str, Any]
    table: Table | None = None


Block = Paragraph | Points | Code | Table | Figure


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part with a heading. `key` is its anchor."""

    key: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, kw_only=True)
class Document:
    """A report.

    Attributes:
        title: of the page.
        answer: what the data support, first of all; a few sentences.
        marks: what must stand beside every figure (random weights, unfair conditions), short.
        sections: in reading order.
        footer: who made it, from what, when.
    """

    title: str
    answer: Sequence[str]
    marks: Sequence[str]
    sections: Sequence[Section]
    footer: str
