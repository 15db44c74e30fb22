"""What is known of each engine before it runs, as cells of a table; and the table in the docs.

`python -m python_runner.engines.overview docs/engines/README.md` writes that anew; a test
compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from python_runner.engines.catalogue import catalogue
from python_runner.engines.contract import EngineSpec
from python_runner.engines.table import engine, is_brought, is_on_request, own_engine_names

WORDS = ("bf16", "8bit", "shipped")
"""The words that a study has for the precision, in the order of the columns."""
UNKNOWN = "?"
NONE = "-"
BEGIN = "<!-- engines: begin. Made from the table of engines: see engines/overview.py -->\n"
END = "<!-- engines: end -->\n"

_COLUMNS = (
    *("name", "language", "path", "reads", *(f"`{word}`" for word in WORDS)),
    *("ignores an end of sequence", "gives token ids", "hardware", "licence", "here", "page"),
)
_SHARED_PAGES = {
    "llama-cpp-python-server": "llama-cpp-python",
    "transformers-nf4": "transformers-quantised",
    "transformers-int8": "transformers-quantised",
    "transformers-gptq": "transformers-quantised",
    "ollama-go-engine": "ollama",
    "ollama-installed": "ollama",
    "go-driver-go-engine": "go-driver",
}
_OF_SERVERS = "servers"


def formats_of(spec: EngineSpec) -> tuple[str, ...]:
    """For each of `WORDS` what the engine makes of it; `-`: it does not run that."""
    return tuple(spec.formats[word].name if word in spec.formats else NONE for word in WORDS)


def fact_of(name: str, fact: str) -> str:
    """What the catalogue says of the engine's project; `?`: nothing."""
    found = catalogue().facts(name).get(fact)
    return ", ".join(found.values) if found else UNKNOWN


def written(page: str, pages: Path) -> str:
    """The page with its table as the engines are now.

    Args:
        page: text of docs/engines/README.md.
        pages: the folder that it lies in.

    Raises ValueError if its marks are not there.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no lines {BEGIN!r} and {END!r}")
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in _rows(pages))
    return f"{before}{begin}{table}{end}{after}"


def _rows(pages: Path) -> Iterator[tuple[str, ...]]:
    yield _COLUMNS
    yield ("---",) * len(_COLUMNS)
    for name in own_engine_names():
        spec = engine(name).spec
        yield (
            f"`{name}`",
            spec.language.value,
            spec.reach.value,
            spec.model_format,
            *formats_of(spec),
            "yes" if spec.can_ignore_end_of_sequence else "no",
            "yes" if spec.reports_token_ids else "no",
            fact_of(name, "hardware"),
            fact_of(name, "licence"),
            _had_by(name),
            _page(name, pages),
        )


def _had_by(name: str) -> str:
    if is_brought(name):
        return "yours"
    return "on request" if is_on_request(name) else "built or installed"


def _page(name: str, pages: Path) -> str:
    own = _SHARED_PAGES.get(name, name)
    found = own if (pages / f"{own}.md").is_file() else _OF_SERVERS
    return f"[{found}]({found}.md)"


def main() -> None:
    """Write the page anew that the command line names."""
    path = Path(sys.argv[1])
    path.write_text(written(path.read_text(encoding="utf-8"), path.parent), encoding="utf-8")


if __name__ == "__main__":
    main()
