"""Draw every picture of a load and write it to disk."""

from __future__ import annotations

from pathlib import Path

from python_runner.report.charts.draw import chart_style, save
from python_runner.report.charts.load.table import all_pictures
from python_runner.report.load_data import LoadData
from python_runner.report.load_facts import load_facts


def draw_load(data: LoadData, folder: Path) -> list[Path]:
    """Draw every picture of one run of a load into `folder`, as PNG and as SVG.

    The folder is made if it is not there; older pictures of the same name are replaced.
    Returns the files, in the order of the table of pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    facts = load_facts(data)
    paths: list[Path] = []
    with chart_style():
        for name, figure in all_pictures(data):
            paths += save(figure, folder / name, facts)
    return paths
