"""Draw every picture of a run and write it to disk."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib.style
import pandas as pd
from matplotlib.figure import Figure

from python_runner.common.whole_file import whole_file
from python_runner.report.charts.data import chart_data
from python_runner.report.charts.table import CHARTS
from python_runner.report.charts.text import FONT
from python_runner.report.facts import RunFacts

_DPI = 200
_STYLE: dict[str, object] = {
    "font.family": FONT,
    "hatch.linewidth": 0.7,
    # Outlines, not letters: the text then looks the same where the font is missing.
    "svg.fonttype": "path",
    # The same data give the same file, byte for byte.
    "svg.hashsalt": "polystack",
}


def draw_all(
    samples: pd.DataFrame, conditions: pd.DataFrame, runs: pd.DataFrame, folder: Path
) -> list[Path]:
    """Draw every picture of one run into `folder`, as PNG and as SVG.

    Args:
        samples: one row for each request.
        conditions: one row for each stack.
        runs: one row.
        folder: made if it is not there; older pictures of the same name are replaced.

    Returns:
        The files, in the order of the table of pictures.

    Raises:
        UsageError: the frames hold no run, or several.
    """
    data = chart_data(samples, conditions, runs)
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    with chart_style():
        for chart in CHARTS:
            paths += save(chart.draw(data), folder / chart.name, data.facts)
    return paths


def chart_style() -> AbstractContextManager[None]:
    """What all pictures share. The user's own matplotlibrc must not change a picture."""
    return matplotlib.style.context(["default", _STYLE])


def save(figure: Figure, stem: Path, facts: RunFacts) -> list[Path]:
    """Write a picture as PNG and as SVG, with its caption as their description."""
    lines = [facts.model, *facts.warnings, facts.work, facts.course, facts.clock, *facts.notes]
    words = "\n".join(line for line in lines if line)
    png, svg = stem.with_suffix(".png"), stem.with_suffix(".svg")
    with whole_file(png) as draft:
        figure.savefig(draft, dpi=_DPI, metadata={"Software": "polystack", "Description": words})
    with whole_file(svg) as draft:
        figure.savefig(draft, metadata={"Creator": "polystack", "Description": words, "Date": None})
    return [png, svg]
