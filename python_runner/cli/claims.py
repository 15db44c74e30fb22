"""`polystack claims`: what stored runs say about claims."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output
from python_runner.cli.options import ResultsOption
from python_runner.common.errors import UsageError

if TYPE_CHECKING:
    from python_runner.report.claims import ClaimsData
    from python_runner.run.claims import JudgedRuns
    from python_runner.study import Study

_PATHS = ("embedded", "served")


def claims(
    runs: Annotated[
        list[str] | None,
        typer.Argument(help="Runs: numbers, or latest. Several stand side by side."),
    ] = None,
    *,
    claim_file: Annotated[
        str | None,
        typer.Option("--claims", help="A claim file or its name.", show_default="the study's"),
    ] = None,
    ablation: Annotated[
        list[str] | None,
        typer.Option(help="A run in which a cause was taken away; may be given several times."),
    ] = None,
    path: Annotated[
        str | None, typer.Option(help="Only stacks reached that way: embedded or served.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="A table for a README.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the verdicts to this file, PNG and SVG.")
    ] = None,
    results: ResultsOption = None,
) -> None:
    """Judge claims by stored runs: supported, refuted or inconclusive, and why."""
    if markdown and as_json:
        raise UsageError("--markdown and --json ask for two things", hint="Choose one of them.")
    if path not in (None, *_PATHS):
        raise UsageError(f"--path: {path!r} is no path", hint=f"It is {' or '.join(_PATHS)}.")
    from python_runner.run.claims import judge_runs

    with output.Results.at(results).open_store() as store:
        chosen = list(dict.fromkeys(store.find_run(name) for name in runs or ["latest"]))
        judged = judge_runs(
            store,
            chosen,
            claims=claim_file,
            ablations=[store.find_run(name) for name in ablation or []],
            path=path,
        )
    data = _data(judged)
    _print(data, markdown=markdown, as_json=as_json)
    if picture is not None:
        for drawn in _draw(data, picture):
            typer.echo(str(drawn), err=markdown or as_json)


def hint(study: Study, run_id: int) -> str:
    """The line at the end of a run: how to see what it says about the study's claims."""
    from python_runner.run.claims import claims_of_study

    found = claims_of_study(study)
    if found is None:
        return ""
    return f"What it says about {len(found.claims)} claims: polystack claims {run_id}"


def _data(judged: JudgedRuns) -> ClaimsData:
    from python_runner.report.claims import claims_data
    from python_runner.report.load_data import load_data
    from python_runner.report.load_facts import load_facts

    return claims_data(
        judged.claims,
        [
            (
                one.judgement,
                one.frames.samples,
                one.frames.conditions,
                one.frames.runs,
                one.to_run,
            )
            for one in judged.runs
        ],
        judged.warning,
        loads={
            one.judgement.run_id: load_facts(load_data(one.frames))
            for one in judged.runs
            if len(one.frames.load_levels)
        },
    )


def _print(data: ClaimsData, *, markdown: bool, as_json: bool) -> None:
    if markdown or as_json:
        from python_runner.report.claims_text import claims_json, claims_markdown

        typer.echo(claims_json(data) if as_json else claims_markdown(data))
        return
    from python_runner.report.terminal.claims import claims_report

    output.console().print(claims_report(data))


def _draw(data: ClaimsData, picture: Path) -> list[Path]:
    from python_runner.report.charts.claims import MOST_COLUMNS, draw_claims

    if len(data.columns) > MOST_COLUMNS:
        raise UsageError(
            f"a picture has room for {MOST_COLUMNS} runs, and these are {len(data.columns)}",
            hint="Leave some out, or take --markdown.",
        )
    return draw_claims(data, picture.with_suffix(""))
