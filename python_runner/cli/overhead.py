"""`polystack bench-overhead`: what the workbench itself costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.options import ResultsOption

_LEAST_SHOWN = 0.001

if TYPE_CHECKING:
    from rich.table import Table

    from python_runner.run.overhead import Price


def bench_overhead(
    *,
    model: Annotated[
        str, typer.Option(help="Model to run; a tiny one measures calls and little else.")
    ] = "gemma-2-2b-synthetic",
    new_tokens: Annotated[int, typer.Option(min=2, help="Tokens of each answer.")] = 16,
    rounds: Annotated[int, typer.Option(min=1, help="Pairs of requests for each ratio.")] = 5,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of each engine.")] = None,
    results: ResultsOption = None,
) -> None:
    """Hold our drivers against bare programs that do the same work."""
    from python_runner.cli.progress import TerminalProgress
    from python_runner.run.overhead import overhead, survey_of

    progress = TerminalProgress(output.console())
    survey = survey_of(
        model,
        new_tokens=new_tokens,
        rounds=rounds,
        threads=threads,
        logs=output.Results.at(results).logs / "overhead",
        progress=progress,
    )
    prices = list(overhead(survey))
    output.console().print(_table(prices))
    missed = sum(not price.is_met for price in prices)
    output.say(f"{survey.settings.model.label}, {survey.settings.threads} threads, {rounds} rounds")
    if missed:
        output.say(f"{missed} of {len(prices)} are worse than asked for")


def _table(prices: list[Price]) -> Table:
    from rich.table import Table

    table = Table("what", "against", "ours", "bare", "unit", "ratio", "asked for", "", box=None)
    for price in prices:
        has_ratio = price.unit == "tokens/s"
        table.add_row(
            price.what,
            price.against,
            f"{price.ours:.3g}" if price.ours >= _LEAST_SHOWN else f"< {_LEAST_SHOWN}",
            f"{price.bare:.3g}" if has_ratio else "",
            price.unit,
            f"{price.score:.3f}" if has_ratio else "",
            price.bound,
            "met" if price.is_met else "missed",
        )
    return table
