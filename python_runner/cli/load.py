"""`polystack load`: many users at once, on engines started here or on a server that runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from python_runner.cli import load_options as options
from python_runner.cli import output
from python_runner.cli.load_words import (
    length_keys,
    prompt_keys,
    shape_keys,
    table_of,
    timed_keys,
)
from python_runner.cli.options import AllowUnfairOption, ResultsOption
from python_runner.cli.typed import typed
from python_runner.common.errors import (
    INTERRUPTED_EXIT_CODE,
    EngineError,
    SetupError,
    UsageError,
)

if TYPE_CHECKING:
    from python_runner.engines.outside import Outside
    from python_runner.run.load import Loaded
    from python_runner.store import Store
    from python_runner.study import Overrides, Study

_STUDY = "load-demo"


def load(
    called: typer.Context,
    *,
    engine: options.EngineOption = None,
    url: options.UrlOption = None,
    model: options.ModelOption = None,
    users: options.UsersOption = None,
    rate: options.RateOption = None,
    arrivals: options.ArrivalsOption = None,
    requests: options.RequestsOption = None,
    duration: options.DurationOption = None,
    ramp: options.RampOption = None,
    warmup: options.WarmupOption = None,
    prompt_tokens: options.PromptTokensOption = None,
    new_tokens: options.NewTokensOption = None,
    stop: options.StopOption = None,
    prompts: options.PromptsOption = None,
    shared_prefix: options.SharedOption = None,
    slo: options.SloOption = None,
    slots: options.SlotsOption = None,
    threads: options.ThreadsOption = None,
    context: options.ContextOption = None,
    seed: options.SeedOption = None,
    timeout: options.TimeoutOption = None,
    dialect: options.DialectOption = None,
    tokenizer: options.TokenizerOption = None,
    api_key_env: options.KeyOption = None,
    ca_file: options.CertificatesOption = None,
    ignore_eos: options.IgnoreEosOption = False,
    keep_answers: options.KeepAnswersOption = False,
    allow_unfair: AllowUnfairOption = None,
    study: options.StudyOption = _STUDY,
    results: ResultsOption = None,
) -> int:
    """Put a load on served engines, one after the other, or on a server that runs already."""
    table = table_of(
        shape_keys(users=users, rate=rate, arrivals=arrivals),
        length_keys(users=users, requests=requests, duration=duration, warmup=warmup),
        timed_keys(ramp=ramp, timeout=timeout),
        prompt_keys(prompts, shared_prefix),
        {"slo": slo, "slots": slots},
        {"ignore_eos": ignore_eos or None, "keep_answers": keep_answers or None},
    )
    work = {"prompt_tokens": prompt_tokens, "new_tokens": new_tokens, "stop": stop, "seed": seed}
    terms = {"model": model, "threads": threads, "context": context}
    overrides = _overrides(engine, allow_unfair, load=table or None, **work, **terms)
    _refuse_both_ends(stop, ignore_eos=ignore_eos)
    place = output.Results.at(results)
    if url is None:
        _refuse_without_url(dialect=dialect, tokenizer=tokenizer, api_key_env=api_key_env)
        return _on_engines(study, overrides, place, typed(called))
    _refuse_with_url(engine)
    target = _outside(url, dialect, api_key_env, ca_file)
    return _on_outside(study, overrides, target, tokenizer, place, command=typed(called))


def _overrides(engine: str | None, allow_unfair: list[str] | None, **given: Any) -> Overrides:
    from python_runner.study import Overrides

    return Overrides(
        stacks=None if engine is None else tuple(output.split_names(engine)),
        allow_unfair=None if allow_unfair is None else tuple(allow_unfair),
        **given,
    )


def _refuse_both_ends(stop: str | None, *, ignore_eos: bool) -> None:
    if ignore_eos and stop == "end-of-sequence":
        raise UsageError(
            "--ignore-eos goes on past an end, and --stop end-of-sequence ends there",
            hint="Give one of the two.",
        )


def _refuse_with_url(engine: str | None) -> None:
    if engine is not None:
        raise UsageError("--url and --engine exclude each other", hint="Give one of the two.")


def _refuse_without_url(**given: object) -> None:
    named = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
    if named:
        raise UsageError(f"{', '.join(named)}: is for a server that runs already, --url")


def _on_engines(study: str, overrides: Overrides, place: output.Results, command: str) -> int:
    from python_runner.cli.run_progress import RunProgress
    from python_runner.run.load import check_open_files, find_served
    from python_runner.run.load import load as run_load
    from python_runner.run.load_plan import load_of
    from python_runner.study import load_study

    found = load_study(study, overrides)
    limit = check_open_files(load_of(found))
    find_served(found)  # a mistake is told before a store is made for nothing
    output.tell_broken_servers()
    if limit:
        output.say(limit)
    with RunProgress(output.console(), place.store) as progress:
        return _run_and_show(
            lambda store: run_load(
                *(found, store),
                logs=place.logs,
                progress=progress,
                on_begin=progress.begin,
                command=command,
            ),
            place,
        )


def _on_outside(
    study: str,
    overrides: Overrides,
    target: Outside,
    tokenizer: Path | None,
    place: output.Results,
    *,
    command: str,
) -> int:
    from python_runner.cli.run_progress import RunProgress
    from python_runner.engines.outside import OutsideEngine, only_model
    from python_runner.engines.outside.dialects import Options
    from python_runner.run.load import check_open_files, check_outside, load_outside
    from python_runner.run.load_plan import Asked, load_of

    named = overrides.model if isinstance(overrides.model, str) else None
    found = _study_of(study, overrides, target, named or "?")
    if limit := check_open_files(load_of(found)):
        output.say(limit)
    model = named or only_model(target)
    found = _study_of(study, overrides, target, model)
    asked = Asked(model=model, outside=target, tokenizer=tokenizer, context=overrides.context)
    made = Options(model=model, context=overrides.context, ignore_eos=load_of(found).ignore_eos)
    engine = OutsideEngine(target, made)
    with RunProgress(output.console(), place.store) as progress:
        if tokenizer is None and load_of(found).prompts.kind == "synthetic":
            progress.say(
                f"No --tokenizer: prompts have {found.workload.prompt_tokens} words, which are "
                "more tokens. The server's own count stands in the results."
            )
        check_outside(found, engine, asked, log=place.logs / "outside.log", progress=progress)
        return _run_and_show(
            lambda store: load_outside(
                *(found, store, engine, asked),
                logs=place.logs,
                progress=progress,
                on_begin=progress.begin,
                command=command,
            ),
            place,
        )


def _outside(
    url: str, dialect: str | None, api_key_env: str | None, ca_file: Path | None
) -> Outside:
    from python_runner.engines.outside import Outside, key_headers
    from python_runner.engines.outside.dialects import find_dialect

    whole, found = find_dialect(url, dialect)
    headers, secrets = key_headers(api_key_env)
    return Outside(
        url=whole,
        dialect=found,
        headers=headers,
        secrets=secrets,
        ca_file=None if ca_file is None else str(ca_file),
    )


def _study_of(study: str, overrides: Overrides, target: Outside, model: str) -> Study:
    """The study with the server in the place of its stacks."""
    from dataclasses import replace

    from python_runner.study import load_study

    return load_study(
        study,
        replace(
            overrides,
            name="load",
            title=f"Load on {target.host}",
            stacks=(target.host,),
            model=model,
        ),
    )


def _run_and_show(run: Callable[[Store], Loaded], place: output.Results) -> int:
    with place.open_store(create=True) as store:
        try:
            with output.telling_what_is_kept(store):
                outcome = run(store)
        except KeyboardInterrupt:
            return INTERRUPTED_EXIT_CODE
        return show_outcome(outcome, store, place)


def show_outcome(outcome: Loaded, store: Store, place: output.Results) -> int:
    """Show what came out of a load; returns the exit code."""
    output.show_summary(store, outcome.run_id)
    output.draw(store, outcome.run_id, place)
    for stack, reason in outcome.broken.items():
        output.say(f"{stack} did not get through its load: {reason}")
    if not outcome.broken:
        return 0
    only_not_built = outcome.broken.keys() == outcome.not_built
    return SetupError.exit_code if only_not_built else EngineError.exit_code
