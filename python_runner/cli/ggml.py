"""`polystack ggml`: the stacks on ggml beside each other."""

from __future__ import annotations

from python_runner.cli import output
from python_runner.cli.options import ResultsOption, RunArgument


def ggml(run: RunArgument = "latest", *, results: ResultsOption = None) -> None:
    """Hold the stacks of a run that rest on ggml against llama.cpp, and bound each difference."""
    from python_runner.analyse.answers import with_answers
    from python_runner.report.terminal.ggml import ggml_report
    from python_runner.store import read_frames

    with output.Results.at(results).open_store() as store:
        frames = read_frames(store, [store.find_run(run)])
    conditions = with_answers(frames.conditions, frames.answers)
    output.console().print(ggml_report(frames.samples, conditions, frames.runs))
