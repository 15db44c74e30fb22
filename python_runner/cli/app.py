"""All commands, one file each for what belongs together."""

from __future__ import annotations

from typing import Annotated

import typer

from python_runner import __version__
from python_runner.cli import (
    answers,
    bench_client,
    build,
    cache,
    claims,
    compare,
    diff,
    doctor,
    engines,
    fairness,
    ggml,
    load,
    mock,
    models,
    overhead,
    report,
    rescue,
    results,
    resume,
    statistics,
    study,
    team,
    upkeep,
    watch,
    why,
)

app = typer.Typer(
    name="polystack",
    help="Run one language model through serving stacks in C++, Go, Rust and Python, "
    "and see what the difference is.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True)
    ] = False,
) -> None:
    if version:
        typer.echo(f"polystack {__version__}")
        raise typer.Exit


app.command()(compare.compare)
app.command()(study.study)
app.command()(answers.answers)
app.command()(why.why)
app.command()(watch.watch)
app.command()(resume.resume)
app.command()(results.runs)
app.command()(results.show)
app.command()(results.time)
app.command()(diff.diff)
app.command()(results.plot)
app.command()(results.export)
app.command()(report.report)
app.command()(claims.claims)
app.command()(rescue.rescue)
app.command()(team.team)
app.command()(fairness.fairness)
app.command()(ggml.ggml)
app.command()(upkeep.upkeep)
app.command()(engines.engines)
app.add_typer(models.app, name="models")
app.command()(build.build)
app.command()(doctor.doctor)
app.command()(cache.clean_cache)
app.command()(load.load)
app.command()(mock.mock)
app.command()(overhead.bench_overhead)
app.command()(bench_client.bench_client)
app.command()(statistics.bench_statistics)
