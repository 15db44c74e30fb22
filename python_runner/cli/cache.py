"""`polystack clean-cache`: room on the disk."""

from __future__ import annotations

from typing import Annotated

import typer

from python_runner.cli import output
from python_runner.cli.asking import answered, somebody_is_there
from python_runner.common.errors import UsageError


def clean_cache(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="All builds, and what cargo keeps between builds.")
    ] = False,
    cargo_target: Annotated[
        bool, typer.Option("--cargo-target", help="What cargo keeps between builds.")
    ] = False,
    models: Annotated[
        bool, typer.Option("--models", help="Models made here, and what Ollama has taken in.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove builds that this checkout no longer uses; more on request."""
    from python_runner.common.build.cleaning import Scope, bytes_freed, remove
    from python_runner.common.locations import cache_dir
    from python_runner.report.units import spell_bytes
    from python_runner.run import plan_cleaning

    scope = Scope(all_builds=everything, cargo_target=everything or cargo_target, models=models)
    planned = plan_cleaning(scope)
    before = bytes_freed([cache_dir()])
    output.say(f"{cache_dir()} holds {spell_bytes(before)}.")
    if not planned:
        output.say("Nothing in it is out of use. --all, --cargo-target and --models remove more.")
        return
    for removal in planned:
        size = spell_bytes(bytes_freed([removal.path]))
        output.say(f"  {size:>8}  {removal.path.relative_to(cache_dir())}: {removal.reason}")
    output.say(f"Removing this frees {spell_bytes(bytes_freed(r.path for r in planned))}.")
    output.say("It is made again when it is needed, by this checkout or another one.")
    if not _may(yes=yes):
        output.say("Nothing was removed.")
        return
    for removal in planned:
        if not remove(removal):
            output.say(f"{removal.path.name} is being built right now, and was left alone.")
    after = bytes_freed([cache_dir()])
    output.say(f"Freed {spell_bytes(before - after)}; {spell_bytes(after)} are left.")


def _may(*, yes: bool) -> bool:
    if yes:
        return True
    instead = "Without a terminal to ask, give --yes."
    if not somebody_is_there():
        raise UsageError("nothing was removed", hint=instead)
    return answered(lambda: typer.confirm("Remove it?"), instead=instead)
