"""A picture that shows itself in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from python_runner.common.errors import UsageError
from python_runner.report.charts.draw import chart_style

_DPI = 160
_SHOWN_DPI = 100
"""Smaller than it is drawn, so that it is sharp on fine screens too."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A drawn figure. The last line of a cell shows it; `figure` and `axes` are matplotlib's."""

    name: str
    figure: Figure
    text: str
    """What there is to see and under what conditions, for readers who cannot see it."""

    @property
    def axes(self) -> Axes:
        """The first pair of axes, to be changed."""
        return self.figure.axes[0]

    def save(self, path: Path | str) -> Path:
        """Write the picture; the ending says as what (png, svg, pdf).

        Raises UsageError if that cannot be.
        """
        target = Path(path)
        try:
            with chart_style():
                self.figure.savefig(target, dpi=_DPI)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{target} cannot be written: {error}", hint="Name a file.png, .svg or .pdf."
            ) from error
        return target

    def _repr_png_(self) -> tuple[bytes, dict[str, object]]:
        drawn = BytesIO()
        with chart_style():
            self.figure.savefig(drawn, format="png", dpi=_DPI)
        width = round(self.figure.get_figwidth() * _SHOWN_DPI)
        return drawn.getvalue(), {"width": width, "alt": self.text}

    def __repr__(self) -> str:
        return f"<{self.name}: {self.text}>"
