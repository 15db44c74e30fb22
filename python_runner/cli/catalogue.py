"""`polystack engines`, `models`, `build`: what there is, and making it."""

from __future__ import annotations

from typing import Annotated

import typer

from python_runner.cli import output
from python_runner.common.errors import UsageError


def engines() -> None:
    """List the engines, and the knobs of their variants."""
    from rich.table import Table

    from python_runner.engines.on_request import OnRequest
    from python_runner.engines.table import engine, engine_names
    from python_runner.engines.tuning import Tunable
    from python_runner.engines.variants import COMMON_KNOBS

    table = Table("name", "engine", "language", "path", "reads", "precision", box=None)
    knobs = [("every engine", knob, what) for knob, what in COMMON_KNOBS.items()]
    for name in engine_names():
        found = engine(name)
        spec = found.spec
        if isinstance(found, Tunable):
            knobs += [(name, knob, what) for knob, what in found.knobs.items()]
        table.add_row(
            name,
            spec.title,
            spec.language.value,
            spec.reach.value,
            spec.model_format,
            ", ".join(f"{word}: {spec.formats[word].name}" for word in spec.formats),
        )
    output.console().print(table)
    for name, found in ((name, engine(name)) for name in engine_names()):
        if isinstance(found, OnRequest) and (lack := found.lack()):
            output.say(f"\n{name}: {lack}")
    output.say("\nKnobs of variants, as in `--stacks ollama,ollama@gogc=off+threads=1`:")
    turned = Table("engine", "knob", "what it does", box=None)
    for row in knobs:
        turned.add_row(*row)
    output.console().print(turned)


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
