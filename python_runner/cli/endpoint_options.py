"""Options that name servers of somebody else's as stacks of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from python_runner.common.errors import UsageError

EndpointOption = Annotated[
    list[str] | None,
    typer.Option(
        "--endpoint",
        help="A server that somebody else runs, as a stack of that name: NAME=https://HOST.",
    ),
]
EndpointModelOption = Annotated[
    str | None,
    typer.Option(
        "--endpoint-model",
        help="The model's name at the --endpoint.",
        show_default="the one that it lists",
    ),
]
EndpointDialectOption = Annotated[
    str | None,
    typer.Option(
        "--dialect",
        help="How the --endpoint is asked: openai-chat and others, as for `polystack load`.",
        show_default="by its path, else openai-completions",
    ),
]
EndpointKeyOption = Annotated[
    str | None,
    typer.Option("--api-key-env", help="Variable that holds the key for the --endpoint."),
]
EndpointTokenizerOption = Annotated[
    Path | None,
    typer.Option("--tokenizer", help="Folder with its tokenizer.json, if it counts no tokens."),
]
EndpointCertificatesOption = Annotated[
    Path | None,
    typer.Option("--ca-file", help="Certificates (PEM) to trust besides the system's."),
]


def endpoint_tables(
    named: Sequence[str] | None, **given: str | Path | None
) -> dict[str, dict[str, object]] | None:
    """The tables `[endpoints.NAME]` that these options stand for; None: there are none.

    Args:
        named: NAME=URL, each.
        given: keys of the table, which all of them get; None: not given.

    Raises:
        UsageError: no NAME=URL, or options of an endpoint without one.
    """
    keys = {key: str(value) for key, value in given.items() if value is not None}
    if not named:
        if keys:
            raise UsageError(
                f"{', '.join(map(_option, keys))}: is of a server that somebody else runs",
                hint="Name it: --endpoint NAME=https://HOST.",
            )
        return None
    tables: dict[str, dict[str, object]] = {}
    for each in named:
        name, equals, url = each.partition("=")
        if not equals or not name or "/" in name or name in tables:
            raise UsageError(
                "--endpoint: each is a name of its own and an address",
                hint="Write --endpoint NAME=https://HOST; NAME is then a stack.",
            )
        tables[name] = {"url": url, **keys}
    return tables


def _option(key: str) -> str:
    usual = {"model": "--endpoint-model"}
    return usual.get(key, f"--{key.replace('_', '-')}")
