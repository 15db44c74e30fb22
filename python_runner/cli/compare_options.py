"""Options of `polystack compare` that say how often, and in which order."""

from __future__ import annotations

from typing import Annotated

import typer

BlocksOption = Annotated[
    int | None,
    typer.Option("--blocks", help="Visits to each stack, in turns; each loads it anew."),
]
UntilOption = Annotated[
    str | None,
    typer.Option("--until-ci", help="Go on until the intervals of all ratios are so narrow: 2%."),
]
MostOption = Annotated[
    int | None,
    typer.Option(
        "--max-iterations", help="With --until-ci: the most.", show_default="4 x --iterations"
    ),
]
MostTimeOption = Annotated[
    str | None,
    typer.Option("--max-time", help="With --until-ci: begin nothing that would end later: 2h."),
]
StudyArgument = Annotated[
    str, typer.Argument(help="A study that comes with polystack, or a TOML file of yours.")
]
StacksOption = Annotated[
    str | None, typer.Option(help="Engines, separated by commas (see `polystack engines`).")
]
