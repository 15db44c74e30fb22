"""Servers that somebody else runs, as stacks of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from python_runner.common.errors import UsageError
from python_runner.common.progress import Progress
from python_runner.engines.contract import Engine, GenerateRequest
from python_runner.engines.outside import (
    Outside,
    OutsideEngine,
    key_headers,
    only_model,
    outside_settings,
)
from python_runner.engines.outside.dialects import Options, find_dialect
from python_runner.engines.table import engine, engine_names
from python_runner.study import EndpointTable, Study

_UNNAMED = "?"
_FIRST_WORDS = "The quick brown fox"
_FIRST_TOKENS = 2
_FIRST_TIMEOUT_S = 60.0


def engines_of(study: Study) -> dict[str, Engine]:
    """The stacks of a study by name, endpoints among them; nobody is asked anything.

    Raises:
        UnknownNameError: an engine that does not exist.
        UsageError: an endpoint with the name of an engine, or a key that is not set.
    """
    return {name: _stack(study, name) for name in study.stacks}


def _stack(study: Study, name: str) -> Engine:
    table = study.endpoints.get(name)
    if table is None:
        return engine(name)
    if name in engine_names(include_hidden=True):
        raise UsageError(
            f"{name} is an engine, and cannot be the name of an endpoint as well",
            hint="Give the endpoint another name.",
        )
    return _endpoint(name, table)


def started_here(engines: Mapping[str, Engine]) -> dict[str, Engine]:
    """Those of them that are no endpoints."""
    return {name: one for name, one in engines.items() if not isinstance(one, OutsideEngine)}


def refuse_endpoints(engines: Mapping[str, Engine]) -> None:
    """Raise UsageError if a load is to be put on an endpoint by its name."""
    ours = started_here(engines)
    if named := [name for name in engines if name not in ours]:
        raise UsageError(
            f"{', '.join(named)} is an endpoint, and a load starts its engines itself",
            hint="Put a load on it by its address: polystack load --url URL.",
        )


def with_endpoints(study: Study, progress: Progress) -> Study:
    """The study with each endpoint's model by name, after each has answered one request.

    Raises:
        UsageError: a mistake in what is said of an endpoint, or its model is not clear.
        GenerationError: it does not answer; says why and what to look at.
        SetupError: the client cannot be built.
    """
    tables = dict(study.endpoints)
    for name in study.stacks:
        if name in tables:
            tables[name] = _asked(name, tables[name], progress)
    return study.model_copy(update={"endpoints": tables})


def _asked(name: str, table: EndpointTable, progress: Progress) -> EndpointTable:
    candidate = _endpoint(name, table)
    candidate.prepare(progress)
    why = "nothing is started before it is known to answer"
    with progress.task(f"One request to {name}", why=why):
        if table.model is None:
            table = table.model_copy(update={"model": only_model(candidate.outside)})
            candidate = _endpoint(name, table)
        settings = outside_settings(
            candidate.options.model, folder=None, context=None, timeout_s=_FIRST_TIMEOUT_S
        )
        with candidate.start(settings, Path()) as running:
            running.generate(
                GenerateRequest(
                    prompt_text=_FIRST_WORDS,
                    prompt_ids=(),
                    new_tokens=_FIRST_TOKENS,
                    timeout_s=_FIRST_TIMEOUT_S,
                )
            )
    return table


def _endpoint(name: str, table: EndpointTable) -> OutsideEngine:
    url, dialect = find_dialect(table.url, table.dialect)
    headers, secrets = key_headers(table.api_key_env)
    outside = Outside(
        url=url,
        dialect=dialect,
        headers=headers,
        secrets=secrets,
        ca_file=table.ca_file,
        name=name,
        tokenizer=None if table.tokenizer is None else Path(table.tokenizer),
        timeout_s=table.timeout_s,
    )
    return OutsideEngine(
        outside, Options(model=table.model or _UNNAMED, ignore_eos=table.ignore_eos)
    )
