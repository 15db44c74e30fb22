"""Where a report gets its figures from."""

from __future__ import annotations

from collections.abc import Mapping

from python_runner.report.contents.reported import Reported, ReportedLoad
from python_runner.report.document import Figure


def figures_of(run: Reported) -> Mapping[str, Figure]:
    """The figures of a run by their keys; none for a run without anything to draw."""
    from python_runner.report.figures import comparison_figures, load_figures

    if isinstance(run, ReportedLoad):
        return load_figures(run.data)
    return comparison_figures(run.data)
