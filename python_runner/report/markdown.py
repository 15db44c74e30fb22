"""A report as Markdown, sized for the comment of a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from python_runner.common.printable import printable
from python_runner.report.document import (
    Block,
    Cell,
    Code,
    Document,
    Figure,
    Paragraph,
    Points,
    Section,
    Table,
    Tone,
)

MOST_CHARACTERS = 60_000
"""A comment on GitHub holds 65,536."""
_MOST_ROWS_OF_A_FIGURE = 40
_OPEN = re.compile(r"figures|users|study|batching|baseline|pairs|claims|change-.*|run-\d+")
"""Keys of sections that stand open; the others are folded, for they are many."""
_SIGNS = {Tone.BAD: "**{}**", Tone.UNKNOWN: "_{}_"}


def markdown(document: Document, *, pictures: Mapping[str, str] | None = None) -> str:
    """`document` as GitHub reads it.

    Args:
        document: what to say.
        pictures: key of a figure to the path of its picture, as seen from the Markdown file;
            a figure without one is its table.

    Returns:
        At most `MOST_CHARACTERS`; sections that are too much are named and left out, the last
        ones first.
    """
    head = _head(document)
    parts = ["".join(_section(section, pictures or {})) for section in document.sections]
    foot = f"\n---\n{_text(document.footer)}\n"
    titles = [section.title for section in document.sections]
    kept = len(parts)
    while kept and _length(head, parts[:kept], titles[kept:], foot) > MOST_CHARACTERS:
        kept -= 1
    return f"{head}{''.join(parts[:kept])}{_left_out(titles[kept:])}{foot}"


def _length(head: str, parts: list[str], left_out: list[str], foot: str) -> int:
    return len(head) + sum(map(len, parts)) + len(_left_out(left_out)) + len(foot)


def _left_out(titles: list[str]) -> str:
    if not titles:
        return ""
    return (
        f"\nLeft out, to fit into a comment (the HTML page has them): {_text('; '.join(titles))}.\n"
    )


def _head(document: Document) -> str:
    marks = "".join(f"> **{_text(mark)}**  \n" for mark in document.marks)
    answer = " ".join(_text(sentence) for sentence in document.answer)
    return f"# {_text(document.title)}\n\n{marks}{chr(10) if marks else ''}{answer}\n"


def _section(section: Section, pictures: Mapping[str, str]) -> Iterator[str]:
    body = "\n".join(text for block in section.blocks for text in _block(block, pictures))
    if _OPEN.fullmatch(section.key):
        yield f"\n## {_text(section.title)}\n\n{body}"
    else:
        title = _html(section.title)
        yield f"\n<details>\n<summary><b>{title}</b></summary>\n\n{body}\n</details>\n"


def _block(block: Block, pictures: Mapping[str, str]) -> Iterator[str]:
    match block:
        case Paragraph(text=text, is_warning=True):
            yield f"> **{_text(text)}**\n"
        case Paragraph(text=text):
            yield f"{_text(text)}\n"
        case Points(items=items):
            yield "".join(f"- {_text(item)}\n" for item in items)
        case Code(text=text):
            yield _code(text)
        case Table():
            yield _table(block)
        case Figure():
            yield _figure(block, pictures)


def _figure(figure: Figure, pictures: Mapping[str, str]) -> str:
    parts = [f"### {_text(figure.title)}\n"]
    if path := pictures.get(figure.key):
        parts.append(f"![{_text(figure.alt)}]({path})\n")
    elif figure.table is not None:
        parts.append(_table(figure.table, most=_MOST_ROWS_OF_A_FIGURE))
    else:
        parts.append(f"{_text(figure.alt)}\n")
    if figure.caption:
        parts.append(f"{_text(figure.caption)}\n")
    return "\n".join(parts)


def _table(table: Table, *, most: int | None = None) -> str:
    rows = list(table.rows)
    shown = rows if most is None else rows[:most]
    lines = [
        f"| {' | '.join(_text(column.title) for column in table.columns)} |",
        f"| {' | '.join('---:' if column.is_number else '---' for column in table.columns)} |",
        *(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in shown),
    ]
    caption = f"**{_text(table.caption)}**\n\n" if table.caption else ""
    more = f"\n… and {len(rows) - len(shown)} rows more\n" if len(shown) < len(rows) else ""
    return caption + "\n".join(lines) + "\n" + more


def _cell(cell: Cell) -> str:
    text = _text(cell.text)
    shown = _SIGNS[cell.tone].format(text) if text and cell.tone in _SIGNS else text
    return f"[{shown}]({_address(cell.link)})" if cell.link else shown


def _code(text: str) -> str:
    text, fence = printable(text), "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text.rstrip()}\n{fence}\n"


def _text(text: str) -> str:
    """On one line, with nothing in it that Markdown or HTML would take for mark-up.

    What stands between two backquotes is code and stays as it is, but for the bar that would end
    a cell.
    """
    parts = printable(" ".join(text.split())).split("`")
    if len(parts) % 2 == 0:  # one backquote has no partner: it is only a sign
        return _escape("`".join(parts))
    spelled = [
        f"`{part.replace('|', chr(92) + '|')}`" if place % 2 and part else _escape(part)
        for place, part in enumerate(parts)
    ]
    return "".join(spelled)


def _escape(text: str) -> str:
    for sign in "\\|*_`[]#~":
        text = text.replace(sign, f"\\{sign}")
    # An @ before a letter would call somebody.
    return re.sub(r"@(?=\w)", "&#64;", _html(text))


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _address(link: str) -> str:
    return link.replace(" ", "%20").replace("(", "%28").replace(")", "%29")
