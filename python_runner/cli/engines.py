"""`polystack engines`: what there is, what it supports, how it stands here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output

if TYPE_CHECKING:
    from python_runner.run.engine_list import EngineLine


def engines(
    *,
    knobs: Annotated[
        bool, typer.Option("--knobs", help="List the knobs of variants instead.")
    ] = False,
) -> None:
    """List the engines: version, what each supports, and how it stands on this machine."""
    if knobs:
        _show_knobs()
        return
    from rich.table import Table

    from python_runner.engines.overview import UNKNOWN, WORDS
    from python_runner.run.engine_list import engine_lines

    lines = engine_lines()
    table = Table(box=None)
    for title in ("engine", "language", "path", "version", "here"):
        table.add_column(title, no_wrap=True)  # names are to be copied
    table.add_column(f"{' / '.join(WORDS)}; hardware; licence", min_width=30)
    for line in lines:
        table.add_row(
            *(line.name, line.language, line.path, line.version, _state(line)),
            f"{' / '.join(line.formats) or UNKNOWN}; {line.hardware}; {line.licence}",
        )
    output.console().print(table)
    for sentence in _below(lines):
        output.say(f"\n{sentence}")
    output.tell_broken_servers()


def _state(line: EngineLine) -> str:
    from python_runner.report.units import spell_duration

    if not line.is_here:
        return "no"
    return f"builds in {spell_duration(line.expected_s)}" if line.expected_s else line.state.value


def _below(lines: tuple[EngineLine, ...]) -> Iterator[str]:
    from python_runner.engines.table import is_on_request

    for line in lines:
        if not line.is_here and is_on_request(line.name):
            yield f"{line.name}: {line.mend}"
    if missing := [line.name for line in lines if not line.is_here]:
        yield f"Not here: {', '.join(missing)}. `polystack doctor` says what each of them wants."
    yield (
        "Precision: what an engine makes of a study's words. Hardware and licence: what its "
        "project says (docs/engines). `polystack engines --knobs` lists what variants can turn."
    )


def _show_knobs() -> None:
    from rich.table import Table

    from python_runner.engines.table import engine, engine_names
    from python_runner.engines.tuning import Tunable
    from python_runner.engines.variants import COMMON_KNOBS

    output.say("Knobs of variants, as in `--stacks ollama,ollama@gogc=off+threads=1`:")
    turned = Table("engine", "knob", "what it does", box=None)
    for knob, what in COMMON_KNOBS.items():
        turned.add_row("every engine", knob, what)
    for name in engine_names():
        found = engine(name)
        if isinstance(found, Tunable):
            for knob, what in found.knobs.items():
                turned.add_row(name, knob, what)
    output.console().print(turned)
    output.tell_broken_servers()
