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
RunArgument = Annotated[str, typer.Argument(help="Number of a run (`polystack runs`) or `latest`.")]
