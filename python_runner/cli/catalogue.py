"""`polystack engines`, `models`, `build`: what there is, and making it."""

from __future__ import annotations

from typing import Annotated

import typer

from python_runner.cli import output


def engines() -> None:
    """List the engines."""
    from rich.table import Table

    from python_runner.engines.table import engine, engine_names

    table = Table("name", "engine", "language", "path", "reads", "precision", box=None)
    for name in engine_names():
        spec = engine(name).spec
        table.add_row(
            name,
            spec.title,
            spec.language.value,
            spec.reach.value,
            spec.model_format,
            ", ".join(f"{word}: {spec.formats[word].name}" for word in spec.formats),
        )
    output.console().print(table)


def build(
    stacks: Annotated[
        str | None,
        typer.Option(help="Engines, separated by commas; left out: all but what you must bring."),
    ] = None,
) -> None:
    """Build the native parts that are missing, without measuring anything."""
    from python_runner.cli.progress import TerminalProgress
    from python_runner.engines.table import built_engine_names, engine
    from python_runner.run.parts import PARTS

    names = built_engine_names() if stacks is None else output.split_names(stacks)
    for chosen in [engine(name) for name in names]:
        chosen.prepare(TerminalProgress(output.console()))
    if stacks is None:
        for prepare in PARTS.values():
            prepare(TerminalProgress(output.console()))
    output.say(f"Ready: {', '.join(names)}")
