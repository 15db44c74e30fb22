"""`polystack build`: making what is missing."""

from __future__ import annotations

from typing import Annotated

import typer

from python_runner.cli import output
from python_runner.common.errors import UsageError


def build(
    stacks: Annotated[
        str | None,
        typer.Option(
            help="Engines, separated by commas; left out: all but what you must bring, and what "
            "is installed on request only."
        ),
    ] = None,
    *,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Compile these stacks once more in an empty cache, to know how long it takes.",
        ),
    ] = False,
) -> None:
    """Build the native parts that are missing, without measuring anything."""
    from python_runner.cli.progress import TerminalProgress
    from python_runner.engines.on_request import OnRequest
    from python_runner.engines.table import built_engine_names, engine
    from python_runner.run.parts import PARTS

    if again:
        _build_again(stacks)
        return
    names = built_engine_names() if stacks is None else output.split_names(stacks)
    for chosen in [engine(name) for name in names]:
        make = chosen.install if isinstance(chosen, OnRequest) else chosen.prepare
        make(TerminalProgress(output.console()))
    if stacks is None:
        for prepare in PARTS.values():
            prepare(TerminalProgress(output.console()))
    output.say(f"Ready: {', '.join(names)}")


def _build_again(stacks: str | None) -> None:
    from python_runner.cli.progress import TerminalProgress
    from python_runner.run.build_again import build_again

    if stacks is None:
        raise UsageError(
            "--again takes many minutes for each stack",
            hint="Name those that it is to time: --stacks llama.cpp,go-driver.",
        )
    progress = TerminalProgress(output.console())
    timed = build_again(output.split_names(stacks), progress)
    output.say(f"Timed: {', '.join(timed)}. `polystack upkeep` shows it.")
