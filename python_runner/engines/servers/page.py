"""The part of docs/engines/servers.md that says of each server what its file says.

`python -m python_runner.engines.servers.page docs/engines/servers.md` writes it anew; a test
compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from python_runner.engines.servers.find import IMAGE_SUFFIX
from python_runner.engines.servers.read import shipped_files, shipped_servers
from python_runner.engines.servers.schema import PLACEHOLDERS, Format, ServerRow

MARK = "<!-- from here on made from the servers' files: see engines/servers/page.py -->\n"


def written(page: str) -> str:
    """The page with its made part as the files are now. Raises ValueError without the mark."""
    by_hand, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError(f"the page has no line {MARK!r}")
    made = "\n".join(_lines())
    return f"{by_hand}{MARK}\n{made}"


def _lines() -> Iterator[str]:
    for name, what in PLACEHOLDERS.items():
        yield f"- `{{{name}}}`: {what}"
    yield ""
    for row in sorted(shipped_servers().values(), key=lambda each: each.title.lower()):
        yield from _section(row)


def _section(row: ServerRow) -> Iterator[str]:
    yield f"## {row.title}"
    yield ""
    yield f"`{row.name}`, in `{shipped_files()[row.name].name}`, read at {row.read_at}. {row.page}"
    yield ""
    yield f"- **Found** by {_ways(row)}."
    yield f"- **Started** with `{' '.join(row.command)}`"
    if row.container:
        words = " ".join(row.container.command)
        yield f"- **From an image** (its project's: `{row.container.image}`) with `{words}`"
    for name, text in row.scratch_files.items():
        yield f"- **File of options** `{name}`: `{' '.join(text.split())}`"
    yield f"- **Weights**: {'; '.join(_weights(row))}."
    yield f"- **Ready** when `{row.ready.path}` answers 200{_expected(row)}."
    yield f"- **Asked** at `{row.asks.path}`, the prompt as {row.asks.prompt}, {_end(row)}."
    yield "- **Quirks**:"
    yield from (f"  - {quirk}" for quirk in row.quirks)
    yield "- **Read in**:"
    yield from (f"  - {each.what}: `{each.file}` ([{each.at}]({each.at}))" for each in row.sources)
    yield ""


def _ways(row: ServerRow) -> str:
    find = row.find
    if find.holds:
        ways = [f"the variable `{find.variable}`, the folder that holds `{find.holds}`"]
    else:
        what = f"`{find.program}` on PATH" if find.program else f"its module `{find.module}`"
        ways = [f"the variable `{find.variable}` (program or environment)", what]
    if row.container:
        ways.append(f"an image in `{find.variable}{IMAGE_SUFFIX}`")
    return ", or ".join(ways)


def _weights(row: ServerRow) -> Iterable[str]:
    for word, each in row.precision.items():
        yield f"`{word}` is {each.name}{_how(each)}"


def _how(each: Format) -> str:
    options = f" (`{' '.join(each.arguments)}`)" if each.arguments else ""
    made = f", made beforehand in `MODEL{each.folder}`: `{each.made_by}`" if each.folder else ""
    return options + made


def _expected(row: ServerRow) -> str:
    named = ", ".join(f"`{key}` = `{value}`" for key, value in row.ready.expect.items())
    return f" with {named}" if named else ""


def _end(row: ServerRow) -> str:
    if not row.asks.ignore_end:
        return "and an end of sequence cannot be ignored"
    return f"an end of sequence ignored by `{dict(row.asks.ignore_end)}`"


if __name__ == "__main__":
    PAGE = Path(sys.argv[1])
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
