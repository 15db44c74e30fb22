"""`polystack fairness`: what was equal in a run, pair by pair."""

from __future__ import annotations

from python_runner.cli import output
from python_runner.cli.options import ResultsOption, RunArgument


def fairness(run: RunArgument = "latest", *, results: ResultsOption = None) -> None:
    """Show what was equal for each pair of stacks of a run, what was not, what is not known."""
    from python_runner.report.terminal.fairness import fairness_report
    from python_runner.store import read_frames

    with output.Results.at(results).open_store() as store:
        frames = read_frames(store, [store.find_run(run)], only_outcomes=True)
    output.console().print(fairness_report(frames.conditions))
