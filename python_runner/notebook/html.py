"""Small pieces of HTML for notebooks. Every text is escaped here and nowhere else.

Plain tables with little style of their own, so that Jupyter's theme, light or dark, reaches them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_QUIET = "opacity:0.75"
_LEFT = "text-align:left;vertical-align:top"
_RIGHT = "text-align:right;vertical-align:top;white-space:nowrap"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One place of a table."""

    text: str
    below: str = ""
    """In a second line, smaller."""
    color: str = ""
    """Of a mark before the text; empty: no mark."""
    is_strong: bool = False
    is_struck: bool = False


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The head of a column."""

    text: str
    is_number: bool = False


def heading(text: str) -> str:
    """A line in bold."""
    return f"<p><strong>{escape(text)}</strong></p>"


def warnings(texts: Iterable[str]) -> str:
    """What a reader must not miss, a line each."""
    return "".join(f"<p><strong>⚠ {escape(text)}</strong></p>" for text in texts if text)


def lines(texts: Iterable[str]) -> str:
    """Quiet text, a line each; empty ones are left out."""
    shown = "<br>".join(escape(text) for text in texts if text)
    return f'<p style="{_QUIET}">{shown}</p>' if shown else ""


def table(headings: Sequence[Heading], rows: Iterable[Sequence[Cell]], caption: str = "") -> str:
    """A table; the first cell of a row is its name."""
    above = f'<caption style="{_LEFT}">{escape(caption)}</caption>' if caption else ""
    heads = "".join(
        f'<th scope="col" style="{_RIGHT if one.is_number else _LEFT}">{escape(one.text)}</th>'
        for one in headings
    )
    body = "".join(f"<tr>{_row(headings, row)}</tr>" for row in rows)
    return f"<table>{above}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def whole(*parts: str) -> str:
    """What one object shows."""
    return f"<div>{''.join(parts)}</div>"


def _row(headings: Sequence[Heading], row: Sequence[Cell]) -> str:
    cells = []
    for number, (column, cell) in enumerate(zip(headings, row, strict=True)):
        tag = 'th scope="row"' if number == 0 else "td"
        style = _RIGHT if column.is_number else _LEFT
        cells.append(f'<{tag} style="{style}">{_cell(cell)}</{tag.split(maxsplit=1)[0]}>')
    return "".join(cells)


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    if cell.is_struck:
        text = f"<s>{text}</s>"
    if cell.is_strong:
        text = f"<strong>{text}</strong>"
    if cell.color:
        text = f'<span aria-hidden="true" style="color:{escape(cell.color)}">■</span> {text}'
    if cell.below:
        text += f'<br><small style="{_QUIET}">{escape(cell.below)}</small>'
    return text
