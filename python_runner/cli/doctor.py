"""`polystack doctor`: how everything stands, and what to type about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.common.errors import SetupError

if TYPE_CHECKING:
    from python_runner.common.checkup import Finding
    from python_runner.run import Diagnosis


def doctor(
    in_full: Annotated[
        bool, typer.Option("--all", help="Without a GPU, too: what each stack for GPUs lacks.")
    ] = False,
) -> int:
    """Look at the machine, the tools and every stack; builds nothing, takes a few seconds.

    Ends with exit code 0 if all stacks of the default study can run, and with 3 if not.
    """
    from python_runner.run import examine

    diagnosis = examine(in_full=in_full)
    for title, findings in diagnosis.sections:
        _show(title, findings)
    output.say("")
    output.say(_verdict(diagnosis))
    return SetupError.exit_code if diagnosis.obstacles else 0


def _show(title: str, findings: tuple[Finding, ...]) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from python_runner.common.checkup import State

    styles = {State.READY: "green", State.LATER: "cyan", State.NOTE: "yellow"}
    console = output.console()
    console.print(Text(title, style="bold"))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(
            Text(finding.state.value, style=styles.get(finding.state, "red")),
            Text(finding.subject),
            Text(_words(finding)),
        )
    console.print(Padding(table, (0, 0, 1, 2), expand=False))


def _words(finding: Finding) -> str:
    from python_runner.report.units import spell_duration

    duration = f" (about {spell_duration(finding.expected_s)})" if finding.expected_s else ""
    mend = f"\n→ {finding.mend}" if finding.mend else ""
    return f"{finding.detail}{duration}{mend}".strip()


def _verdict(diagnosis: Diagnosis) -> str:
    if not diagnosis.obstacles:
        return "All stacks of the default study can run: polystack compare"
    names = ", ".join(finding.subject for finding in diagnosis.obstacles)
    return f"Not all stacks of the default study can run. In the way: {names}"
