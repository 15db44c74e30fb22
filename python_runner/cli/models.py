"""`polystack models`: which there are, what they take on this disk, and removing them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.asking import answered

if TYPE_CHECKING:
    from python_runner.run.inventory import ModelOnDisk, OnDisk

app = typer.Typer(help="List the models and what they take on this disk; remove them.")


@app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List the models and what they take on this disk; remove them."""
    if context.invoked_subcommand is not None:
        return
    from python_runner.run.inventory import models_on_disk

    # Lines and no table: paths are not to be cut, for whoever wants to copy them.
    models = models_on_disk()
    width = max(len(model.name) for model in models if model.family)
    for family, members in groupby(models, key=lambda model: model.family):
        output.say(f"{family or 'Your own'}")
        for model in members:
            _list(model, width)


def _list(model: ModelOnDisk, width: int) -> None:
    size = spell_size(model.bytes) if model.bytes else ""
    where = "" if model.forms else f"; {model.how_to_get}"
    output.say(f"  {model.name:<{width}} {size:>8}  {model.kind}{where}")
    for form in model.forms:
        output.say(f"      {form.kind:<16} {_size_of(form):>8}  {form.path}")


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="A model that `polystack models` lists.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove what was made of a model. Files that are not ours stay."""
    from python_runner.run.inventory import find_on_disk, remove_forms

    model = find_on_disk(name)
    ours = [form for form in model.forms if form.is_ours]
    for form in model.forms:
        if not form.is_ours:
            output.say(f"Stays, as it was not made here: {form.path}")
    if not ours:
        output.say(f"Nothing of {name} was made here.")
        return
    for form in ours:
        output.say(f"{form.kind}, {_size_of(form)}: {form.path}")
    if not yes and not _may_remove():
        output.say("Nothing was removed.")
        return
    output.say(f"Freed {spell_size(remove_forms(ours))}.")


def _may_remove() -> bool:
    return answered(
        lambda: typer.confirm("Remove?"), instead="Nothing was removed. --yes does not ask."
    )


def spell_size(size: int) -> str:
    """`5.2 GB`, `3 MB`, `12 kB`."""
    for unit, factor, digits in (("GB", 1e9, 1), ("MB", 1e6, 0)):
        if size >= factor:
            return f"{size / factor:.{digits}f} {unit}"
    return f"{size / 1e3:.0f} kB"


def _size_of(form: OnDisk) -> str:
    return "shared" if form.is_shared else spell_size(form.bytes)
