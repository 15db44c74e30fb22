"""Options of `polystack compare`: how often, in which order, and what is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from python_runner.study import Overrides

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
RetriesOption = Annotated[
    int | None,
    typer.Option(
        "--retries",
        help="How often a start or a request that failed is tried again, the stack started anew; "
        "each failed attempt is kept and told.",
    ),
]
TimeoutOption = Annotated[str | None, typer.Option("--timeout", help="For one request: 10min.")]
StallOption = Annotated[
    str | None,
    typer.Option("--stall-timeout", help="For the next token, once one has come: 2min."),
]
StartTimeoutOption = Annotated[
    str | None, typer.Option("--start-timeout", help="Until a stack has to be ready: 15min.")
]
StudyArgument = Annotated[
    str, typer.Argument(help="A study that comes with polystack, or a TOML file of yours.")
]
StacksOption = Annotated[
    str | None, typer.Option(help="Engines, separated by commas (see `polystack engines`).")
]
PromptsOption = Annotated[
    Path | None,
    typer.Option(
        "--prompts",
        help="File to ask in its order, the first prompt as warm-up: a prompt each line, .jsonl, "
        "or .json as ShareGPT has it.",
    ),
]
StopOption = Annotated[
    str | None,
    typer.Option(
        "--stop", help="length: exactly --new-tokens; end-of-sequence: the model may end before."
    ),
]


def with_prompts(overrides: Overrides, prompts: Path | None) -> Overrides:
    """With the prompts of a file: one of warm-up and all others timed, unless told otherwise.

    Raises UsageError: there are none, or too many to time all.
    """
    if prompts is None:
        return overrides
    from python_runner.run.asked import iterations_of_file

    warmup = 1 if overrides.warmup is None else overrides.warmup
    iterations = overrides.iterations or iterations_of_file(prompts, warmup)
    return replace(overrides, prompts=str(prompts.resolve()), warmup=warmup, iterations=iterations)
