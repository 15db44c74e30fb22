"""Page and Markdown of a document: the one place where this package leans on how reports look.

A minimal stand-in until the report page of comparisons is there.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence

from python_runner.report.document import (
    Block,
    Cell,
    Code,
    Document,
    Paragraph,
    Points,
    Table,
)

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; }
.table-box { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem; }
pre { overflow-x: auto; }
"""


def render_page(
    *, title: str, body: str, script: str = "", data: Mapping[str, object] | None = None
) -> str:
    """One self-contained page; `data` lies in the element `page-data`, as JSON."""
    embedded = json.dumps(data or {}, allow_nan=False).replace("<", "\\u003c")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
        f'<body><main id="main">{body}</main>'
        f'<script type="application/json" id="page-data">{embedded}</script>'
        f"<script>{script}</script></body></html>\n"
    )


def inline(text: str) -> str:
    """Text as HTML: what stands between backquotes is code, all else is shown as it is."""
    parts = html.escape(text).split("`")
    if len(parts) % 2 == 0:
        return html.escape(text)
    return "".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts))


def blocks_html(blocks: Sequence[Block]) -> str:
    """Blocks as HTML."""
    return "\n".join(_block(block) for block in blocks)


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        kind = ' class="warning"' if block.is_warning else ""
        return f"<p{kind}>{inline(block.text)}</p>"
    if isinstance(block, Points):
        return "<ul>" + "".join(f"<li>{inline(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Code):
        return f'<pre tabindex="0"><code>{html.escape(block.text)}</code></pre>'
    if isinstance(block, Table):
        return _table(block)
    return ""


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{inline(column.title)}</th>' for column in table.columns)
    rows = "".join(
        "<tr>" + "".join(_cell(cell, number) for number, cell in enumerate(row)) + "</tr>"
        for row in table.rows
    )
    return (
        '<div class="table-box" tabindex="0" role="region" aria-label="Table">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(cell: Cell, number: int) -> str:
    tag = "td" if number else 'th scope="row"'
    words = inline(cell.text)
    if cell.link:
        words = f'<a href="{html.escape(cell.link)}">{words}</a>'
    note = f"<br><small>{inline(cell.note)}</small>" if cell.note else ""
    return f"<{tag}>{words}{note}</{tag.split(maxsplit=1)[0]}>"


def markdown_of(document: Document) -> str:
    """The document as Markdown."""
    return "\n\n".join(_markdown(document)) + "\n"


def _markdown(document: Document) -> Iterator[str]:
    yield f"# {document.title}"
    yield from document.answer
    if document.marks:
        yield "\n".join(f"- **{mark}**" for mark in document.marks)
    for section in document.sections:
        yield f'<a id="{section.key}"></a>\n\n## {section.title}'
        yield from (_markdown_block(block) for block in section.blocks)
    yield document.footer


def _markdown_block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"**{block.text}**" if block.is_warning else block.text
    if isinstance(block, Points):
        return "\n".join(f"- {item}" for item in block.items)
    if isinstance(block, Code):
        return "\n".join(f"    {line}" for line in block.text.splitlines())
    if isinstance(block, Table):
        lines = [
            _row([column.title for column in block.columns]),
            _row(["---"] * len(block.columns)),
            *(_row([_markdown_cell(cell) for cell in row]) for row in block.rows),
        ]
        return "\n".join(lines)
    return ""


def _markdown_cell(cell: Cell) -> str:
    return f"[{cell.text}]({cell.link})" if cell.link else cell.text


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
