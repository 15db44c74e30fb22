"""`polystack bench-statistics`: false alarms, power and coverage of the comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output

if TYPE_CHECKING:
    from rich.table import Table

    from python_runner.run.bench_statistics import Alternative, Figure

_QUICK = 200


def bench_statistics(
    *,
    runs: Annotated[
        int, typer.Option(min=50, help="Simulated runs of each kind, six pairs each.")
    ] = 2_000,
    everything: Annotated[
        bool, typer.Option("--all", help="Other numbers of blocks and worse machines, too.")
    ] = False,
    others: Annotated[
        bool, typer.Option("--alternatives", help="Instead: other ways to test, side by side.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help=f"{_QUICK} runs: that it works, not what it finds.")
    ] = False,
) -> None:
    """Prove the statistics on simulated runs: false alarms, power, coverage."""
    from python_runner.cli.progress import TerminalProgress
    from python_runner.run.bench_statistics import LAYOUTS, alternatives, prove

    progress = TerminalProgress(output.console())
    if others:
        tried = alternatives(LAYOUTS[:3], runs=_QUICK if quick else runs, progress=progress)
        output.console().print(_table_of_others(list(tried)))
        return
    figures = list(prove(runs=_QUICK if quick else runs, progress=progress, everything=everything))
    output.console().print(_table(figures))
    missed = sum(not figure.is_met for figure in figures)
    if missed:
        output.say(f"{missed} of {len(figures)} are not as asked for")


def _table(figures: list[Figure]) -> Table:
    from rich.table import Table

    table = Table("blocks", "machine", "what", "found", "asked for", "", box=None)
    for figure in figures:
        table.add_row(
            figure.layout,
            figure.machine,
            figure.what,
            f"{figure.value:.1f}" if figure.value > 1 else f"{figure.value:.1%}",
            f"{figure.asked[0]:.0%} to {figure.asked[1]:.0%}" if figure.asked else "",
            ("met" if figure.is_met else "missed") if figure.asked else "",
        )
    return table


def _table_of_others(tried: list[Alternative]) -> Table:
    from rich.table import Table

    table = Table("blocks", "method", "false alarms at 5 %", "power, first of six", box=None)
    for one in tried:
        table.add_row(one.layout, one.method, f"{one.false_alarms:.1%}", f"{one.power:.1%}")
    return table
