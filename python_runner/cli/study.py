"""`polystack study`: repeat a published study, at a size that fits this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import output, report
from python_runner.cli.answers import wrong_answers
from python_runner.cli.compare_options import with_prompts
from python_runner.cli.load_words import prompt_keys
from python_runner.cli.opening import OpenOption
from python_runner.cli.options import ResultsOption
from python_runner.cli.typed import typed
from python_runner.common.errors import (
    INTERRUPTED_EXIT_CODE,
    EngineError,
    SetupError,
    UnknownNameError,
)

if TYPE_CHECKING:
    from python_runner.run.published import Made, Planned, Ran, Wish
    from python_runner.store import Store
    from python_runner.study import Published

_USUAL_BUDGET = "1h"


def study(
    called: typer.Context,
    *,
    name: Annotated[
        str | None, typer.Argument(help="A published study, or a TOML file; none: list them.")
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(help="tiny, small or full.", show_default="the largest that fits"),
    ] = None,
    budget: Annotated[
        str, typer.Option(help="Without --scale: the time that it may take.")
    ] = _USUAL_BUDGET,
    stacks: Annotated[
        str | None, typer.Option(help="Engines, separated by commas (see `polystack engines`).")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Where all engines compute.")] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of each engine.")] = None,
    prompts: Annotated[
        str | None, typer.Option(help="A file of prompts in place of those of the study.")
    ] = None,
    only_list: Annotated[
        bool, typer.Option("--list", help="Say what would be run, and end.")
    ] = False,
    open_report: OpenOption = None,
    results: ResultsOption = None,
) -> int:
    """Repeat a published study, and show its table beside the original's."""
    from python_runner.run.published import Wish
    from python_runner.study import load_published, reference_of

    if name is None:
        _list_all()
        return 0
    published = load_published(name)
    wish = Wish(
        reference=reference_of(name),
        stacks=None if stacks is None else tuple(output.split_names(stacks)),
        device=device,
        threads=threads,
    )
    if prompts is not None:
        wish = _with_prompts(wish, published, prompts)
    planned = _plan(published, scale, wish, budget)
    _tell(planned)
    if only_list:
        return 0
    place = output.Results.at(results)
    return _run_and_show(planned, place, typed(called), open_report=open_report)


def _with_prompts(wish: Wish, published: Published, prompts: str) -> Wish:
    from python_runner.study import Overrides, load_study

    if load_study(published.study).load is not None:
        return replace(wish, load=prompt_keys(prompts, None))
    asked = with_prompts(Overrides(), Path(prompts))
    return replace(wish, prompts=asked.prompts, warmup=asked.warmup, iterations=asked.iterations)


def _plan(published: Published, scale: str | None, wish: Wish, budget: str) -> Planned:
    from python_runner.run.published import choose, plan
    from python_runner.study import parse_duration
    from python_runner.study.published import SCALES

    if scale is not None:
        found = next((known for known in SCALES if known == scale), None)
        if found is None:
            raise UnknownNameError("scale", scale, SCALES)
        return plan(published, found, wish)
    budget_s = parse_duration(budget)
    planned, reasons = choose(published, wish, budget_s)
    for name, reason in reasons.items():
        if name != planned.scale:
            output.say(f"Not at the scale {name}: {reason}.")
    if planned.scale in reasons:
        output.say(f"Even the scale {planned.scale} {reasons[planned.scale]}; it is tried.")
    return planned


def _tell(planned: Planned) -> None:
    """What will be run, and what it will take."""
    from python_runner.report.units import spell_bytes, spell_duration

    scale = planned.published.scales[planned.scale]
    output.say(f"{planned.published.title}, scale {planned.scale}.")
    output.say(f"  Against the original: {scale.smaller}")
    for one in planned.studies:
        output.say(f"  Run: {' or '.join(one.model)}, {one.precision}: {', '.join(one.stacks)}")
    for stack, reason in planned.left_out.items():
        output.say(f"  Not tried: {stack}: {reason}")
    models = "" if planned.is_ready else "; making or fetching models comes on top"
    output.say(
        f"  About {spell_duration(planned.seconds)} of measuring by what two cores needed, and "
        f"{spell_bytes(planned.memory_bytes)} of memory for the weights; builds that are missing "
        f"come on top{models}."
    )


def _list_all() -> None:
    from python_runner.study import load_published, published_names

    for name in published_names():
        found = load_published(name)
        output.say(f"{name}: {found.title}")
        for scale in found.scale_names:
            output.say(f"  {scale}: {found.scales[scale].smaller}")
    output.say("Run one with `polystack study NAME`; --scale takes tiny, small or full.")


def _run_and_show(
    planned: Planned, place: output.Results, command: str, *, open_report: bool | None
) -> int:
    from python_runner.cli.series import Watched
    from python_runner.measure import MachineProbe
    from python_runner.run.published import Ways, run_series
    from python_runner.run.published.answers import write_answers

    for one in planned.studies:
        _check_claims(one.claims)
    struck = False

    def after(made: Made) -> None:
        nonlocal struck
        if made.study.load is None:
            struck |= wrong_answers(made.study, store, made.run_id, place.logs)
        output.show_summary(store, made.run_id)
        output.draw(store, made.run_id, place)

    with place.open_store(create=True) as store:
        try:
            with (
                output.telling_what_is_kept(store),
                Watched(output.console(), place.store, len(planned.studies)) as watched,
            ):
                ways = Ways(
                    store=store,
                    logs=place.logs,
                    progress_of=watched.progress_of,
                    on_begin=watched.begin,
                    on_limit=output.say,
                    on_run=lambda made: after(watched.ended(made)),
                    probe=MachineProbe(),
                    command=command,
                )
                ran = run_series(planned, ways)
        except KeyboardInterrupt:
            return INTERRUPTED_EXIT_CODE
        show_table(store, ran.run_ids[0])
        for run_id in ran.run_ids:
            for path in write_answers(store, run_id, place.pictures(run_id)):
                output.say(str(path))
        written = report.write(store, list(ran.run_ids), place)
    report.show(written, wanted=open_report)
    return _exit_code(ran) or (EngineError.exit_code if struck else 0)


def _check_claims(name: str | None) -> None:
    from python_runner.study import load_claims

    if name:
        load_claims(name)  # a mistake is told before a store is made for nothing


def show_table(store: Store, run_id: int) -> None:
    """Print the table of the published study that a run belongs to, if it does."""
    from python_runner.run.published import table_of_run

    table = table_of_run(store, run_id)
    if table is not None:
        from python_runner.report.terminal.published import published_report

        output.console().print(published_report(table))


def _exit_code(ran: Ran) -> int:
    """0: every stack ran. 3: some could not be built, the others ran. 5: some failed or died."""
    for what, reason in {**ran.broken, **ran.failed}.items():
        output.say(f"{what} gave no full set of samples: {reason}")
    if ran.failed or len(ran.broken) > len(ran.not_built):
        return EngineError.exit_code
    return SetupError.exit_code if ran.broken else 0
