"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ResultsOption = Annotated[
    Path | None,
    typer.Option(
        "--results",
        help="Folder of the stored runs and pictures.",
        show_default="results, or $POLYSTACK_RESULTS",
    ),
]
AllowUnfairOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-unfair",
        metavar="KEY",
        help="Go on although stacks differ in KEY (precision, threads, …); all that comes out is "
        "marked. May be given several times.",
    ),
]
RunArgument = Annotated[str, typer.Argument(help="Number of a run (`polystack runs`) or `latest`.")]
