"""The terminal, as far as texts of others may reach it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from python_runner.common.printable import printable


class PlainConsole(Console):
    """A console whose colours and cursor are our own: no text that it prints can steer it."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """What `renderable` is drawn as, in our signs only."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))
