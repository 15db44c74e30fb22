"""Servers that somebody else runs, as stacks of a study: tables `[endpoints.NAME]`."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field

from python_runner.study.base import Frozen
from python_runner.study.load_table import check_duration, parse_duration

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_KEY_LIKE = re.compile(r"key|token|secret|password|sig", re.IGNORECASE)


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError("a name has letters, digits, dots and dashes, as in `hosted-llama`")
    return name


def holds_key(url: str) -> bool:
    """Whether the URL has a user, a password, or a key in its query."""
    parts = urlsplit(url)
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    return bool(parts.password or parts.username or any(_KEY_LIKE.search(name) for name in names))


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_server = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_server = False
    if not is_server:
        raise ValueError("is no URL of a server, as https://HOST is one")
    if holds_key(url):
        raise ValueError(
            "a key in a URL would be kept with the results: name a variable that holds it, "
            "in api_key_env"
        )
    return url


EndpointName = Annotated[str, AfterValidator(_check_name)]


class EndpointTable(Frozen):
    """One server that somebody else runs. What it runs on is not known here."""

    url: Annotated[str, AfterValidator(_check_url)] = Field(
        description="where it is: https://HOST, https://HOST/v1 or the whole path"
    )
    dialect: (
        Literal[
            "openai-completions",
            "openai-chat",
            "ollama-generate",
            "ollama-chat",
            "llama-completion",
        ]
        | None
    ) = Field(None, description="how it is asked; left out: by the path of the URL")
    model: str | None = Field(
        None,
        min_length=1,
        description="the model's name there (`tgi` where the server has one only); left out: "
        "the one that it lists",
    )
    api_key_env: str | None = Field(
        None, min_length=1, description="variable that holds the key; never the key itself"
    )
    ca_file: str | None = Field(
        None, min_length=1, description="certificates (PEM) to trust besides the system's"
    )
    tokenizer: str | None = Field(
        None,
        min_length=1,
        description="folder with its model's tokenizer.json, for a server that counts no tokens",
    )
    timeout: Annotated[str, AfterValidator(check_duration)] = Field(
        "10min", description="for one answer"
    )
    ignore_eos: bool = Field(
        default=False, description="ask it to go on past an end (vLLM, SGLang, llama-server)"
    )

    @property
    def timeout_s(self) -> float:
        """`timeout` in seconds."""
        return parse_duration(self.timeout)
