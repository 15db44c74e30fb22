"""The table of docs/reliability.md, made from the tests.

`python -m tests.faults.table docs/reliability.md` writes it anew; a test compares the two.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from tests.faults.fault import NAME, Fault

BEGIN = "<!-- faults: begin. Made from tests/faults: see tests/faults/table.py -->\n"
END = "<!-- faults: end -->\n"
_HERE = Path(__file__).parent
_ORDER = ("engines", "wire", "store", "resume", "time", "load", "security")
_HEAD = "| fault | how it is injected | what the user sees | what is kept | test |\n"
_RULE = "| --- | --- | --- | --- | --- |\n"


class _Collected:
    """A plugin of pytest's that keeps what was found."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = session.items


def collect() -> list[pytest.Item]:
    """All tests of faults, the long ones too. Not to be called within a run of pytest."""
    found = _Collected()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(
            ["--collect-only", "--quiet", "-m", "", "-p", "no:cacheprovider", str(_HERE)], [found]
        )
    if code != pytest.ExitCode.OK:
        raise SystemExit(said.getvalue())
    return found.items


def written(page: str, items: list[pytest.Item]) -> str:
    """The page with its tables as the tests are now. Raises ValueError if its marks lack."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no lines {BEGIN!r} and {END!r}")
    return before + begin + "\n" + "\n".join(_tables(items)) + "\n" + end + after


def _tables(items: list[pytest.Item]) -> Iterator[str]:
    ours = [item for item in items if item.get_closest_marker(NAME)]
    ours.sort(key=lambda item: (_ORDER.index(item.path.parent.name), item.path.name))
    for area, group in groupby(ours, key=lambda item: item.path.parent.name):
        title = (importlib.import_module(f"tests.faults.{area}").__doc__ or area).rstrip(".")
        rows = dict.fromkeys(_row(item) for item in group)
        yield f"### {title}\n{_HEAD}{_RULE}" + "".join(rows)


def _row(item: pytest.Item) -> str:
    told = _told(item)
    name = getattr(item, "originalname", None) or item.name
    test = f"`{item.path.relative_to(_HERE).with_suffix('')}::{name}`"
    soak = " (`just soak`)" if item.get_closest_marker("soak") else ""
    cells = [*(_cell(each) for each in (told.what, told.injected, told.seen, told.kept))]
    cells.append(test + soak)
    return f"| {' | '.join(cells)} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _told(item: pytest.Item) -> Fault:
    mark = item.get_closest_marker(NAME)
    assert mark is not None
    told = mark.args[0]
    assert isinstance(told, Fault)
    return told


def main() -> None:
    """Write the page anew, or with `--check` end with 1 if it is not as the tests are."""
    *flags, name = sys.argv[1:]
    path = Path(name)
    page = path.read_text("utf-8")
    now = written(page, collect())
    if "--check" not in flags:
        path.write_text(now, "utf-8")
    elif now != page:
        raise SystemExit(f"{path} is not as the tests are; python -m tests.faults.table {path}")


if __name__ == "__main__":
    main()
