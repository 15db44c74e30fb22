"""Compare a report with the one that is kept, letter by letter."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console, RenderableType

FOLDER = Path(__file__).parent
WRITE_VARIABLE = "POLYSTACK_WRITE_GOLDEN"
"""Set it to any text to write the files anew; then read the difference before committing it."""


def assert_golden(name: str, text: str) -> None:
    """`text` is what `tests/golden/NAME` holds."""
    path = FOLDER / name
    if os.environ.get(WRITE_VARIABLE):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{name} changed; see {__file__}"


def rendered(renderable: RenderableType, width: int) -> str:
    """What a terminal of `width` columns shows, without colours and spaces at line ends."""
    console = Console(width=width, force_terminal=False, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"
