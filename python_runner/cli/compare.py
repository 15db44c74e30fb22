"""`polystack compare`: run a study, then show what came out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from python_runner.cli import endpoint_options as endpoints
from python_runner.cli import output, report
from python_runner.cli.answers import AnswersOption, wrong_answers
from python_runner.cli.claims import hint as claims_hint
from python_runner.cli.compare_options import (
    BlocksOption,
    MostOption,
    MostTimeOption,
    PromptsOption,
    RetriesOption,
    StacksOption,
    StallOption,
    StartTimeoutOption,
    StopOption,
    StudyArgument,
    TimeoutOption,
    UntilOption,
    with_prompts,
)
from python_runner.cli.opening import OpenOption
from python_runner.cli.options import AllowUnfairOption, ResultsOption
from python_runner.cli.typed import typed
from python_runner.common.errors import (
    INTERRUPTED_EXIT_CODE,
    EngineError,
    SetupError,
    UnfairError,
    UsageError,
)

if TYPE_CHECKING:
    from pathlib import Path

    from python_runner.run import Comparison
    from python_runner.store import Store
    from python_runner.study import Overrides, Study

_AS_THEY_ARE = (
    *("model", "precision", "device", "iterations", "blocks", "until_ci", "max_iterations"),
    *("max_time", "warmup", "prompt_tokens", "new_tokens", "template", "stop", "threads"),
    *("context", "seed", "retries", "timeout", "stall_timeout", "start_timeout"),
)
"""Options whose values are those of the study's keys of the same name."""


def compare(
    called: typer.Context,
    *,
    study: StudyArgument = "languages",
    model: Annotated[str | None, typer.Option(help="Model to run.")] = None,
    stacks: StacksOption = None,
    endpoint: endpoints.EndpointOption = None,
    endpoint_model: endpoints.EndpointModelOption = None,
    dialect: endpoints.EndpointDialectOption = None,
    api_key_env: endpoints.EndpointKeyOption = None,
    ca_file: endpoints.EndpointCertificatesOption = None,
    tokenizer: endpoints.EndpointTokenizerOption = None,
    precision: Annotated[str | None, typer.Option(help="Precision of the weights.")] = None,
    device: Annotated[str | None, typer.Option(help="Where all engines compute.")] = None,
    iterations: Annotated[int | None, typer.Option(help="Timed requests of each stack.")] = None,
    blocks: BlocksOption = None,
    until_ci: UntilOption = None,
    max_iterations: MostOption = None,
    max_time: MostTimeOption = None,
    warmup: Annotated[int | None, typer.Option(help="Requests before the timed ones.")] = None,
    prompt_tokens: Annotated[int | None, typer.Option(help="Tokens of each prompt.")] = None,
    new_tokens: Annotated[int | None, typer.Option(help="Tokens of each answer.")] = None,
    template: Annotated[str | None, typer.Option(help="raw or chat.")] = None,
    prompts: PromptsOption = None,
    stop: StopOption = None,
    threads: Annotated[int | None, typer.Option(help="Threads of each engine.")] = None,
    context: Annotated[int | None, typer.Option(help="Tokens of context.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides which prompts are made.")] = None,
    retries: RetriesOption = None,
    timeout: TimeoutOption = None,
    stall_timeout: StallOption = None,
    start_timeout: StartTimeoutOption = None,
    allow_unfair: AllowUnfairOption = None,
    answers: AnswersOption = True,
    open_report: OpenOption = None,
    results: ResultsOption = None,
) -> int:
    """Run one model through several stacks and compare. Options override the study."""
    from python_runner.study import Overrides  # late, as below: they cost time `--help` must not

    how = {"dialect": dialect, "api_key_env": api_key_env, "model": endpoint_model}
    overrides = Overrides(
        **{name: called.params[name] for name in _AS_THEY_ARE},
        stacks=None if stacks is None else tuple(output.split_names(stacks)),
        endpoints=endpoints.endpoint_tables(endpoint, ca_file=ca_file, tokenizer=tokenizer, **how),
        allow_unfair=None if allow_unfair is None else tuple(allow_unfair),
    )
    after = After(answers=answers, open_report=open_report, command=typed(called))
    return _run_and_show(_one_by_one(study, overrides, prompts), output.Results.at(results), after)


def _one_by_one(name: str, overrides: Overrides, prompts: Path | None) -> Study:
    from python_runner.study import load_study

    found = load_study(name, with_prompts(overrides, prompts))
    if found.load:
        raise UsageError(
            f"{name} describes a load", hint=f"Run it with `polystack load --study {name}`."
        )
    return found


@dataclass(frozen=True, kw_only=True)
class After:
    """What is done when the last request has ended."""

    answers: bool
    """Hold the answers against a reference."""
    open_report: bool | None
    """None: where there is a desktop."""
    command: str
    """What was typed."""


def _run_and_show(study: Study, results: output.Results, after: After) -> int:
    from python_runner.cli.run_progress import RunProgress
    from python_runner.measure import MachineProbe
    from python_runner.run import compare as run_study
    from python_runner.run import find_engines
    from python_runner.run.claims import claims_of_study

    find_engines(study)  # a mistake is told before a store is made for nothing
    output.tell_broken_servers()
    claims_of_study(study)
    study = asked(study)
    with results.open_store(create=True, study=study) as store:
        try:
            with (
                output.telling_what_is_kept(store),
                RunProgress(output.console(), results.store) as progress,
            ):
                outcome = run_study(
                    study,
                    store,
                    logs=results.logs,
                    progress=progress,
                    on_begin=progress.begin,
                    on_part=lambda run_id: _show_part(store, run_id, results),
                    probe=MachineProbe(),
                    command=after.command,
                )
        except KeyboardInterrupt:
            return INTERRUPTED_EXIT_CODE
        return show_outcome(study, outcome, store, results, after)


def show_outcome(
    study: Study, outcome: Comparison, store: Store, results: output.Results, after: After
) -> int:
    """Show what came out of a comparison; returns the exit code."""
    struck = after.answers and wrong_answers(study, store, outcome.run_id, results.logs)
    output.show_summary(store, outcome.run_id)
    output.draw(store, outcome.run_id, results)
    written = report.write(store, [outcome.run_id], results)
    if line := claims_hint(study, outcome.run_id):
        output.say(line)
    if outcome.late:
        output.say(
            f"{', '.join(sorted(outcome.late))}: built after the first block, which is therefore "
            "not held against that of the others. Run the command again for all blocks side by "
            "side: nothing is left to build."
        )
    for stack, reason in outcome.broken.items():
        output.say(f"{stack} gave no full set of samples: {reason}")
    report.show(written, wanted=after.open_report)
    return _exit_code(outcome) or (EngineError.exit_code if struck else 0)


def asked(study: Study) -> Study:
    """The study after its endpoints have answered; as it is, where it has none."""
    if not study.endpoints.keys() & set(study.stacks):
        return study
    from python_runner.cli.progress import TerminalProgress
    from python_runner.run.endpoints import with_endpoints

    return with_endpoints(study, TerminalProgress(output.console()))


def _show_part(store: Store, run_id: int, results: output.Results) -> None:
    """What there is so far, while the next stack is built."""
    output.say("\nThe stacks that are ready so far; the pictures are drawn again at the end.")
    output.show_summary(store, run_id)
    output.draw(store, run_id, results)
    output.say("")


def _exit_code(outcome: Comparison) -> int:
    """0: every stack ran. 3: some could not be built, the others ran. 5: some failed or died.

    6: one that was built late would have done other work. Where all ran and some gave wrong
    answers it is 5 as well.
    """
    if not outcome.broken:
        return 0
    if outcome.refused:
        return UnfairError.exit_code
    only_not_built = outcome.broken.keys() == outcome.not_built
    return SetupError.exit_code if only_not_built else EngineError.exit_code
