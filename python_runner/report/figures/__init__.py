"""The interactive pictures, as plain Plotly data: one file for each kind.

`sheet` lays out panels, `lanes` a row for each stack, `looks` says how stacks look, `words`
what stands around a picture. Nothing is computed here, and Plotly itself is not imported.
"""

from __future__ import annotations

from collections.abc import Mapping

from python_runner.report.charts.data import ChartData
from python_runner.report.document import Figure
from python_runner.report.figures.baseline import baseline, baseline_zoomed
from python_runner.report.figures.distributions import distributions
from python_runner.report.figures.iterations import iterations, iterations_zoomed
from python_runner.report.figures.stages import stages
from python_runner.report.figures.tokens import tokens
from python_runner.report.figures.users import users
from python_runner.report.load_data import LoadData
from python_runner.report.load_facts import load_facts

__all__ = ["comparison_figures", "load_figures"]

_OF_COMPARISONS = (
    baseline,
    baseline_zoomed,
    iterations,
    iterations_zoomed,
    distributions,
    tokens,
    stages,
)


def comparison_figures(data: ChartData) -> Mapping[str, Figure]:
    """The pictures of one run of a comparison, by their keys, in reading order.

    baseline, baseline-zoomed, iterations, iterations-zoomed, distributions, tokens, stages; one
    that has nothing to show (no complete request, no gap) is left out.
    """
    made = (make(data) for make in _OF_COMPARISONS)
    return {figure.key: figure for figure in made if figure is not None}


def load_figures(data: LoadData) -> Mapping[str, Figure]:
    """The pictures of one run of a load: users; none where no level has a figure."""
    figure = users(data, load_facts(data))
    return {} if figure is None else {figure.key: figure}
